// One action in detail, in a panel next to its execution.

import { cached, h } from "./element.js";
import { folded } from "./fold.js";
import { elapsed, moment } from "./format.js";
import { callButton, empty, facts, heading, outerLink, pairs } from "./parts.js";
import { actionLink, executionLink } from "./route.js";
import { actionStatus, badge, icon, isRunning } from "./status.js";
import { isComment, links, progress, standIn, typeName } from "./stage.js";
import { approvalDialog } from "./dialogs.js";
import { artifactsView } from "./artifacts.js";
import { phasesView, timelineView, workerHint } from "./timeline.js";

/** The query for the action that the route names, from the execution's items; nothing before the action has started. */
export function actionQuery({ stage, action, attempt }, items) {
    const latest = items.get(`action:${stage}/${action}`);
    if (!latest) return undefined;
    return { view: "action", action: (attempt && latest.attempts?.[attempt - 1]) || latest.id };
}

/** The panel. `items` are those of the execution, and those of the action once they have arrived. */
export function actionView(items, log, context) {
    const { pipeline, execution: id, stage, action: name } = context.route;
    const action = items.get(":action");
    const running = isRunning(items.get(":execution")?.status);
    const declared = declaredIn(items, stage, name);
    const latest = items.get(`action:${stage}/${name}`);
    const status = actionStatus(declared, action, running);
    const type = action?.type ?? declared?.type;
    return [
        h("div", { key: "head", class: "panel-head" },
            h("div", { class: "head-title" }, heading(2, h("span", { class: "quiet" }, `${stage} / `), name), badge(status)),
            h("a", { class: "close-link", href: executionLink(pipeline, id), "aria-label": "Close the action", title: "Close" }, icon("close"))),
        type && h("p", { key: "type", class: "quiet type" }, `${typeName(type)} · ${type.category}`, standIn(action)),
        latest?.attempts?.length > 1 && attempts(latest, action, context),
        !declared && items.has(":execution") && empty("There is no such action", h("p", {}, `Stage ${stage} of this execution has no action ${name}.`)),
        declared && !latest && empty(running ? "This action has not started yet" : "This action did not run in this execution"),
        action && [
            approval(action, status, context),
            action.error && h("div", { key: "error", class: "problem", role: "group", "aria-label": "Error" },
                h("strong", {}, action.error.code), folded(`message:${action.id}`, action.error.message, 6)),
            progress(action, name),
            summary(action),
            status !== "Approval" && links(action, type),
            workerHint(items, action),
            cached("facts", [action], () => about(action)),
            section("timeline", "Timeline", phasesView(items, action), timelineView(items, action)),
            // Nothing writes to the log of an approval.
            !action.approval && section("log", "Log", log.view(action.status !== "InProgress")),
            cached("data", [action], () => data(action)),
        ],
    ];
}

function declaredIn(execution, stage, name) {
    for (const [key, value] of execution) {
        if (key.startsWith("stage:") && value.name === stage) return value.actions.find((action) => action.name === name);
    }
    return undefined;
}

function section(key, title, ...content) {
    return h("section", { key, "aria-labelledby": `panel-${key}` }, h("h3", { id: `panel-${key}` }, title), content);
}

function summary(action) {
    const text = action.summary && folded(`summary:${action.id}`, action.summary, 6);
    if (!isComment(action)) return text && h("div", { key: "summary", class: "summary" }, text);
    const label = `Comment by ${action.updated_by.split(/[:/]/).pop()}`;
    return h("div", { key: "comment", class: "summary comment", role: "group", "aria-label": label }, h("strong", {}, label), text);
}

function about(action) {
    return h("div", {}, facts([
        ["Started", moment(action.started)],
        ["Duration", elapsed(action.started, action.status === "InProgress" ? undefined : action.updated)],
        ["Run order", action.run_order],
        ["Namespace", action.namespace],
        ["External ID", action.external_id, "wide"],
        ["Last change by", action.updated_by, "wide"],
    ]));
}

function data(action) {
    const resolved = action.resolved ?? action.configuration ?? {};
    return h("div", {},
        action.inputs?.length > 0 && section("inputs", "Input artifacts", artifactsView(action.id, "input", action.inputs)),
        action.outputs?.length > 0 && section("outputs", "Output artifacts", artifactsView(action.id, "output", action.outputs)),
        named("variables", "Output variables", action.variables),
        named("configuration", "Configuration", resolved),
        Object.entries(action.configuration ?? {}).some(([key, value]) => resolved[key] !== value) && h("details", { key: "declared" },
            h("summary", {}, "Configuration as the pipeline declares it"), pairs("Declared configuration", Object.entries(action.configuration))));
}

function named(key, title, values) {
    const entries = Object.entries(values ?? {});
    return entries.length > 0 && section(key, title, pairs(title, entries));
}

function approval(action, status, context) {
    if (status !== "Approval") return null;
    const { data: text, url } = action.approval ?? {};
    return h("div", { key: "approval", class: "approval" },
        h("p", {}, text ?? "This action waits for a decision."),
        url && h("p", {}, outerLink(url, "What to review")),
        callButton(context, "Review", () => approvalDialog(context.route.pipeline, action), { primary: true, label: `Review ${action.name}` }));
}

function attempts(latest, action, { route }) {
    return h("nav", { key: "attempts", class: "attempts", "aria-label": "Attempts" }, h("ul", {}, latest.attempts.map((id, index) => h("li", { key: id },
        h("a", {
            href: actionLink(route.pipeline, route.execution, route.stage, route.action, id === latest.id ? undefined : index + 1),
            "aria-current": id === action?.id && "true",
        }, `Attempt ${index + 1}`)))));
}
