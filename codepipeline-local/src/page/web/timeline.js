// The steps of an action with their times, and the share of each phase.

import { cached, h } from "./element.js";
import { duration, moment, preciseMoment } from "./format.js";

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
];

function steps(items) {
    return [...items].filter(([key]) => key.startsWith("step:")).map(([, step]) => step).sort((a, b) => a.n - b.n);
}

/** The steps with their times, and the time between them. */
export function timelineView(items) {
    const list = steps(items);
    if (list.length === 0) return h("p", { key: "no-steps", class: "quiet" }, "No steps are recorded for this action.");
    return h("ol", { key: "steps", class: "timeline" }, list.map((step, index) => {
        const before = list[index - 1];
        return cached(`${step.n}`, [step, before], () => row(step, before));
    }));
}

function row(step, before) {
    const [words, tone] = KINDS[step.kind] ?? [step.kind, "none"];
    const newJob = step.job && step.job !== before?.job;
    return h("li", { class: `step ${tone}` },
        h("span", { class: "dot", "aria-hidden": "true" }),
        h("div", { class: "step-what" }, h("span", { class: "step-words" }, words),
            newJob && h("span", { class: "tag", title: `Job ${step.job}` }, `Job ${step.round ?? 1}`),
            step.detail && h("span", { class: "quiet" }, detail(step))),
        h("div", { class: "step-when" }, preciseMoment(step.at),
            before && h("span", { class: "quiet" }, `+${duration(step.at - before.at)}`)));
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
        const phase = KINDS[step.kind]?.[2];
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
