// One execution: its trigger and sources, and its stages in order with the transitions between them.

import { cached, h } from "./element.js";
import { folded } from "./fold.js";
import { elapsed, moment, short } from "./format.js";
import { callButton, facts, heading, revisions, trail, trigger } from "./parts.js";
import { executionLink, link } from "./route.js";
import { badge, isRunning, words } from "./status.js";
import { isComment, stageView, transitionView } from "./stage.js";
import { startDialog, stopDialog } from "./dialogs.js";

export function executionQuery({ pipeline, execution }) {
    return { view: "execution", pipeline, execution };
}

export function executionTitle({ pipeline, execution, action }, items) {
    const status = items.get(":execution")?.status;
    const place = `${action ? `${action} · ` : ""}${pipeline} ${short(execution)}`;
    return status ? `${words(status)}: ${place}` : place;
}

export function executionView(items, context) {
    const { pipeline, execution: id, action: open } = context.route;
    const execution = items.get(":execution");
    const stages = [...items].filter(([key]) => key.startsWith("stage:")).map(([, stage]) => stage).sort((a, b) => a.index - b.index);
    const rejected = [...items].find(([key, action]) => key.startsWith("action:") && action.error && isComment(action))?.[1];
    const steps = [["Pipelines", link("pipelines")], [pipeline, link("p", pipeline)]];
    return [
        trail(...steps, ...(open ? [[short(id), executionLink(pipeline, id)], [open]] : [[short(id)]])),
        head(execution, context),
        execution && cached("about", [execution, rejected], () => about(execution, rejected)),
        execution && h("ol", { key: "flow", class: "flow", "aria-label": "Stages" }, stages.map((stage) => {
            const actions = stage.actions.map(({ name }) => items.get(`action:${stage.name}/${name}`));
            const inputs = [stage, execution.status, context.canAct, context.route.stage, context.route.action, ...actions];
            return h("li", { key: stage.name },
                stage.index > 0 && cached("transition", [stage, execution.wait?.execution, context.canAct], () => transitionView(stage, execution, context)),
                cached("stage", inputs, () => stageView(stage, actions, execution, context)));
        })),
    ];
}

function head(execution, context) {
    const { pipeline, execution: id } = context.route;
    return h("div", { key: "head", class: "head" },
        h("div", { class: "head-title" }, heading(1, h("span", { class: "quiet" }, "Execution "), h("span", { title: id }, short(id))),
            execution && badge(execution.status)),
        h("div", { class: "buttons" },
            execution && isRunning(execution.status) && callButton(context, "Stop execution", () => stopDialog(pipeline, id)),
            callButton(context, "Start another execution", () => startDialog(pipeline), { key: "start" })));
}

function about(execution, rejected) {
    const { status, summary, started, updated, stop_reason: reason, variables } = execution;
    return h("section", { class: "box about", "aria-label": "About this execution" },
        facts([
            ["Trigger", trigger(execution.trigger), "wide"],
            ["Started", moment(started)],
            ["Duration", elapsed(started, isRunning(status) ? undefined : updated)],
            ["Pipeline version", execution.version],
            ["Mode", execution.execution_mode && mode(execution.execution_mode)],
            ["Execution ID", h("code", {}, execution.id), "wide"],
            ["Source revisions", revisions(execution.revisions, true), "wide"],
            ["Variables", variables?.length > 0 && h("ul", { class: "values" }, variables.map(({ name, value }) =>
                h("li", { key: name }, h("span", { class: "quiet" }, name), h("code", {}, value)))), "wide"],
            // The summary of a stop is its reason.
            ["Summary", summary && !(reason && ["Stopping", "Stopped"].includes(status)) && folded("summary", summary, 3), "wide"],
            ["Comment", status === "Failed" && rejected && folded("comment", rejected.summary, 3), "wide"],
            ["Reason to stop", reason, "wide"],
        ]));
}

function mode(name) {
    return { SUPERSEDED: "Superseded", QUEUED: "Queued", PARALLEL: "Parallel" }[name] ?? name;
}
