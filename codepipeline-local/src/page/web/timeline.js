// The steps of an action with their times, and the share of each phase.

import { cached, h } from "./element.js";
import { toggle } from "./fold.js";
import { duration, moment, plural, preciseMoment } from "./format.js";

// How many steps a long timeline shows of its beginning and of its end. A button shows those between.
const FIRST = 12;
const LATEST = 24;
// The least number of steps that are worth a button.
const WORTH = 12;
// How long a job may wait before the page says that no worker has taken it.
const PATIENCE_MS = 10_000;

// [words, colour, what the action does from then on]
const KINDS = {
    started: ["Action started", "none", "prepare"],
    queued: ["Job queued", "none", "queue"],
    waiting: ["Waiting to continue", "waiting", "pause"],
    offered: ["Offered to a worker", "running", "offer"],
    offer_expired: ["Offer expired", "waiting", "queue"],
    acknowledged: ["Acknowledged by a worker", "running", "work"],
    invoked: ["Function invoked", "running", "work"],
    continued: ["Worker asked to continue later", "waiting", "pause"],
    reported_success: ["Worker reported success", "good", "finish"],
    reported_failure: ["Worker reported failure", "bad", "finish"],
    timed_out: ["Timed out", "bad", "finish"],
    approved: ["Approved", "good", "finish"],
    rejected: ["Rejected", "bad", "finish"],
    abandoned: ["Abandoned", "stopped", "finish"],
    succeeded: ["Action succeeded", "good"],
    failed: ["Action failed", "bad"],
};

const PHASES = [
    ["prepare", "Before the first job"],
    ["queue", "Waiting for a worker"],
    ["offer", "Offered"],
    ["work", "Working"],
    ["pause", "Between jobs"],
    ["finish", "Finishing"],
    // The emulator keeps the first and the latest steps. What the action did between them is unknown.
    ["lost", "Steps not kept"],
];

function steps(items) {
    return [...items].filter(([key]) => key.startsWith("step:")).map(([, step]) => step).sort((a, b) => a.n - b.n);
}

// How many steps between two steps the emulator has not kept.
function lostBetween(before, step) {
    return before && step ? step.n - before.n - 1 : 0;
}

/** The steps with their times, and the time between them. */
export function timelineView(items, action) {
    const list = steps(items);
    if (list.length === 0) return h("p", { key: "no-steps", class: "quiet" }, "No steps are recorded for this action.");
    const middle = list.length - FIRST - LATEST;
    const isFolded = middle >= WORTH;
    return h("ol", { key: `steps:${action.id}`, class: "timeline" }, list.map((step, index) => {
        const before = list[index - 1];
        const lost = lostBetween(before, step);
        const isMiddle = isFolded && index >= FIRST && index < FIRST + middle;
        return [
            isFolded && index === FIRST && h("li", { key: "more", class: "more" }, toggle(`Show ${plural(middle, "more step")}`, "Show fewer steps")),
            lost > 0 && cached("lost", [before, step], () => gap(lost, step.at - before.at)),
            cached(`${step.n}`, [step, before, isMiddle], () => row(step, before, isMiddle)),
        ];
    }));
}

function gap(lost, passed) {
    return h("li", { class: "step lost" }, h("span", { class: "dot", "aria-hidden": "true" }),
        h("div", { class: "step-what" }, h("span", { class: "quiet" }, `${plural(lost, "step")} not kept`)),
        h("div", { class: "step-when" }, h("span", { class: "quiet" }, `+${duration(passed)}`)));
}

function row(step, before, isMiddle) {
    const [words, tone] = KINDS[step.kind] ?? [step.kind, "none"];
    const newJob = step.job && step.job !== before?.job;
    return h("li", { class: `step ${tone}${isMiddle ? " middle" : ""}` },
        h("span", { class: "dot", "aria-hidden": "true" }),
        h("div", { class: "step-what" }, h("span", { class: "step-words" }, words),
            newJob && h("span", { class: "tag", title: `Job ${step.job}` }, `Job ${step.round ?? 1}`),
            step.detail && h("span", { class: "quiet" }, detail(step))),
        h("div", { class: "step-when" }, preciseMoment(step.at),
            before && lostBetween(before, step) === 0 && h("span", { class: "quiet" }, `+${duration(step.at - before.at)}`)));
}

// The detail of a waiting continuation is the time until which it waits.
function detail({ kind, detail: text }) {
    const until = kind === "waiting" ? Number(text) || Date.parse(text) : NaN;
    return Number.isFinite(until) ? ["until ", moment(until)] : text;
}

/** A bar with the share of each phase, for actions with jobs. */
export function phasesView(items, action) {
    const list = steps(items);
    if (!list.some(({ job }) => job)) return null;
    const start = list[0].at;
    const end = action.status === "InProgress" ? Math.max(Date.now(), list.at(-1).at) : list.at(-1).at;
    const whole = Math.max(1, end - start);
    const spent = {};
    const parts = list.map((step, index) => {
        const phase = lostBetween(step, list[index + 1]) > 0 ? "lost" : KINDS[step.kind]?.[2];
        const from = step.at - start;
        const width = (list[index + 1]?.at ?? end) - step.at;
        if (phase) spent[phase] = (spent[phase] ?? 0) + width;
        return phase && width > 0 && h("rect", { key: String(step.n), class: phase, x: scale(from, whole), width: scale(width, whole), height: 10 });
    });
    return h("div", { key: "phases", class: "phases" },
        h("svg", { class: "bar", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" }, parts),
        h("ul", {}, PHASES.filter(([phase]) => spent[phase] > 0).map(([phase, words]) => h("li", { key: phase },
            h("span", { class: `swatch ${phase}`, "aria-hidden": "true" }), `${words} `, h("strong", {}, duration(spent[phase]))))));
}

function scale(part, whole) {
    return (part / whole * 1000).toFixed(2);
}

/** Says that a job of a custom type waits for its worker. */
export function workerHint(items, { status, type }) {
    const latest = steps(items).at(-1);
    const waits = status === "InProgress" && latest?.kind === "queued" && Date.now() - latest.at >= PATIENCE_MS;
    if (!waits || type.owner === "AWS") return null;
    return h("p", { key: "hint", class: "hint", role: "note" },
        "No worker has taken this job yet. It waits for a worker that polls for the action type ", h("code", {}, [type.category, type.owner, type.provider, type.version].join("/")), ".");
}
