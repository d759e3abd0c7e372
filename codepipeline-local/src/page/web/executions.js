// The executions of one pipeline, newest first.

import { cached, h } from "./element.js";
import { elapsed, moment, plural, short } from "./format.js";
import { callButton, empty, heading, revisions, trail, trigger } from "./parts.js";
import { executionLink, link } from "./route.js";
import { badge, isRunning, words } from "./status.js";
import { startDialog, transitionDialog } from "./dialogs.js";
import { place } from "./waits.js";

// As many as appear at once; a button shows all, up to what the emulator lists.
const FIRST = 1000;
const MOST = 10_000;

export function executionsQuery({ pipeline }, limit = FIRST) {
    return { view: "executions", pipeline, limit };
}

export function executionsTitle({ pipeline }, items) {
    const [latest] = newestFirst(items);
    return latest ? `${words(latest.status)}: ${pipeline}` : pipeline;
}

export function executionsView(items, context) {
    const { pipeline } = context.route;
    const about = items.get(":pipeline");
    const executions = newestFirst(items);
    const older = (about?.total ?? 0) - executions.length;
    return [
        trail(["Pipelines", link("pipelines")], [pipeline]),
        h("div", { key: "head", class: "head" },
            heading(1, pipeline, about && h("span", { class: "count" }, `Version ${about.version}`)),
            h("div", { class: "buttons" }, callButton(context, "Start execution", () => startDialog(pipeline), { primary: true }))),
        about && stages(about, context),
        h("h2", { key: "list-title" }, "Executions", about && h("span", { class: "count" }, about.total)),
        executions.length === 0
            ? context.loaded && empty("This pipeline has not run yet", h("p", {}, "Start an execution, or change a source."))
            : h("div", { key: "table", class: "table executions", role: "table", "aria-label": "Executions" },
                h("div", { class: "row header", role: "row" }, ["Execution", "Status", "Trigger", "Source revisions", "Started", "Duration"]
                    .map((name) => h("div", { role: "columnheader" }, name))),
                executions.map((execution) => cached(execution.id, [execution], () => row(pipeline, execution)))),
        older > 0 && h("div", { key: "older", class: "older" }, h("p", {}, `${plural(older, "older execution")} not shown`),
            executions.length < MOST && h("button", { type: "button", onclick: () => context.widen(executionsQuery({ pipeline }, MOST)) }, "Show older ones")),
    ];
}

function row(pipeline, execution) {
    const { id, status, summary, trigger: why, revisions: sources, started, updated } = execution;
    return h("div", { class: "row", role: "row" },
        h("div", { role: "cell" }, h("a", { href: executionLink(pipeline, id), title: id }, short(id))),
        h("div", { role: "cell" }, badge(status), h("span", { class: "quiet clamp" }, summary ?? place(execution))),
        h("div", { role: "cell", "data-label": "Trigger" }, trigger(why)),
        h("div", { role: "cell", "data-label": "Source revisions" }, revisions(sources, true)),
        h("div", { role: "cell", "data-label": "Started" }, moment(started)),
        h("div", { role: "cell", "data-label": "Duration" }, elapsed(started, isRunning(status) ? undefined : updated)));
}

// The stages in order, with the transition into each but the first.
function stages({ name, stages: names, transitions }, context) {
    return h("section", { key: "stages", class: "box about", "aria-labelledby": "stages-title" },
        h("h2", { id: "stages-title" }, "Stages"),
        h("ol", { class: "stage-list" }, names.map((stage, index) => h("li", { key: stage },
            h("strong", {}, stage),
            index > 0 && transition(name, stage, transitions[stage] ?? { enabled: true }, context)))));
}

function transition(pipeline, stage, { enabled, reason }, context) {
    const text = enabled ? "Disable transition" : "Enable transition";
    return [
        !enabled && h("span", { key: "why", class: "why" }, h("strong", {}, "Transition disabled: "), reason),
        callButton(context, text, () => transitionDialog(pipeline, stage, enabled), { key: "transition", label: `${text} into ${stage}` }),
    ];
}

function newestFirst(items) {
    return [...items.values()].filter(({ trigger: why }) => why).sort((a, b) => b.number - a.number);
}
