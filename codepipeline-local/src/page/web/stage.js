// A stage of an execution: its actions in run order, parallel ones next to each other, and the transition into it.

import { cached, h } from "./element.js";
import { elapsed, moment, plural } from "./format.js";
import { callButton, outerLink } from "./parts.js";
import { actionLink } from "./route.js";
import { actionStatus, badge, icon, isRunning, tone } from "./status.js";
import { approvalDialog, retryDialog, transitionDialog } from "./dialogs.js";
import { holder } from "./waits.js";

/** The stage as a box. `actions` are the latest executions of its actions, in the order of `stage.actions`. */
export function stageView(stage, actions, execution, context) {
    const running = isRunning(execution.status);
    const status = stage.status ?? (stage.waiting ? "Waiting" : running ? "NotStarted" : "NotRun");
    const orders = [...new Set(stage.actions.map(({ run_order: order }) => order))].sort((a, b) => a - b);
    const retry = () => retryDialog(context.route.pipeline, execution.id, stage.name);
    const id = `stage-${stage.index}`;
    return h("section", { class: `box stage ${tone(status)}`, "aria-labelledby": id },
        h("div", { class: "stage-head" },
            h("h2", { id }, stage.name), badge(status),
            stage.retries > 0 && h("span", { key: "retries", class: "tag" }, `Retried ${stage.retries === 1 ? "once" : plural(stage.retries, "time")}`),
            stage.can_retry && callButton(context, "Retry", retry, { label: `Retry stage ${stage.name}` })),
        h("ol", { class: "groups" }, orders.map((order) => group(order, stage, actions, running, context))));
}

// Actions with the same run order run at the same time.
function group(order, stage, actions, running, context) {
    const cards = stage.actions.map((declared, index) => {
        if (declared.run_order !== order) return null;
        const action = actions[index];
        const inputs = [declared, action, running, context.canAct, isOpen(context, stage, declared)];
        return h("li", { key: declared.name }, cached("card", inputs, () => card(stage, declared, action, running, context)));
    });
    return h("li", { key: String(order), class: "group" }, h("ul", { class: "cards" }, cards));
}

/** The transition into a stage. */
export function transitionView({ name, transition, waiting }, execution, context) {
    const { pipeline } = context.route;
    const enabled = transition?.enabled !== false;
    const text = enabled ? "Disable transition" : "Enable transition";
    // A later version of the pipeline may lack the stage.
    const exists = transition !== undefined;
    const why = !enabled && [transition.reason, transition.by && `by ${transition.by.split(/[:/]/).pop()}`].filter(Boolean).join(" – ");
    return h("div", { class: enabled ? "transition" : "transition closed" },
        h("span", { class: "arrow", "aria-hidden": "true" }),
        h("div", { class: "transition-words" },
            waiting && h("span", { key: "waits", class: "status waiting" }, icon("waiting"), h("span", {}, "This execution waits here", holder(pipeline, execution))),
            !enabled && h("span", { key: "why", class: "why" }, h("strong", {}, "Transition disabled: "), why, transition.at && [", ", moment(transition.at)]),
            exists && callButton(context, text, () => transitionDialog(pipeline, name, enabled), { key: "transition", label: `${text} into ${name}` })));
}

function isOpen({ route }, stage, declared) {
    return route.stage === stage.name && route.action === declared.name;
}

function card(stage, declared, action, running, context) {
    const { pipeline, execution } = context.route;
    const { name } = declared;
    const status = actionStatus(declared, action, running);
    const open = isOpen(context, stage, declared);
    return h("article", { class: `card ${tone(status)}${open ? " open" : ""}` },
        h("div", { class: "card-head" },
            h("h3", {}, h("a", { href: actionLink(pipeline, execution, stage.name, name), "aria-current": open && "true" }, name)),
            action && h("span", { key: "took", class: "quiet" }, elapsed(action.started, action.status === "InProgress" ? undefined : action.updated))),
        h("p", { class: "quiet type" }, typeName(declared.type), standIn(action)),
        h("div", { class: "card-status" }, badge(status),
            status === "Approval" && action.token && callButton(context, "Review", () => approvalDialog(pipeline, action), { label: `Review ${name}` })),
        progress(action, name),
        action?.error && h("p", { key: "error", class: "clamp error-text" }, action.error.message),
        action?.summary && (isComment(action) || !action.error)
            && h("p", { key: "summary", class: "clamp" }, isComment(action) && h("span", { class: "quiet" }, "Comment: "), action.summary),
        links(action, declared.type));
}

/** The provider of an action type, as people know it. */
export function typeName({ owner, provider, version }) {
    return owner === "AWS" ? `AWS ${provider}` : `${provider} (${owner === "Custom" ? "custom" : "third party"}, version ${version})`;
}

/** Marks an action that its provider did not run. */
export function standIn(action) {
    if (!action) return null;
    if (action.stand_in) return h("span", { key: "mark", class: "tag", title: "A command of this machine runs in the place of the provider" }, "Stand-in");
    return action.summary === "skipped" && h("span", { key: "mark", class: "tag", title: "--skip made this action succeed at once" }, "Skipped");
}

/** Whether the summary of an action is the comment of the person who approved or rejected it. */
export function isComment(action) {
    return Boolean(action?.approval && action.summary && action.updated_by);
}

/** How far an action in progress is, if its worker said so. */
export function progress(action, name) {
    if (action?.status !== "InProgress" || action.percent === undefined) return null;
    return h("div", { key: "progress", class: "progress" },
        h("progress", { max: 100, value: action.percent, "aria-label": `Progress of ${name}` }),
        h("span", {}, `${action.percent} %`));
}

/** The links that the action type and the worker gave. */
export function links(action, type) {
    const known = [["external_url", "Details"], ["entity_url", action?.approval ? "What to review" : "Resource"], ["revision_url", "Revision"]];
    const given = known.filter(([member]) => action?.[member] && !(member === "entity_url" && leadsNowhere(action, type)));
    return given.length > 0 && h("ul", { key: "links", class: "links" },
        given.map(([member, text]) => h("li", { key: member }, outerLink(action[member], text))));
}

// The link of a stand-in's type names no host. AWS's console does not know the buckets of the emulator.
function leadsNowhere(action, type) {
    if (action.stand_in) return true;
    if (type?.owner !== "AWS" || action.approval || !URL.canParse(action.entity_url)) return false;
    return new URL(action.entity_url).hostname.endsWith("console.aws.amazon.com");
}
