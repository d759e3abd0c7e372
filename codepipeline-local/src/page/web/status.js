// CodePipeline's statuses, each as an icon with its words. Colour only repeats what the words say.

import { h } from "./element.js";

const CIRCLE = "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z";
const ICONS = {
    good: [CIRCLE, "m5 8.2 2.1 2.1L11 6"],
    bad: [CIRCLE, "m5.8 5.8 4.4 4.4m0-4.4-4.4 4.4"],
    running: [CIRCLE, "M8 1.5A6.5 6.5 0 0 1 14.5 8"],
    waiting: [CIRCLE, "M8 4.4V8l2.4 1.6"],
    stopped: [CIRCLE, "M6 6h4v4H6z"],
    passed: [CIRCLE, "m5.6 5.8 2.2 2.2-2.2 2.2m3-4.4L10.8 8l-2.2 2.2"],
    close: ["m4 4 8 8m0-8-8 8"],
    none: ["M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z"],
};

// [words, icon and colour]
const STATUSES = {
    InProgress: ["In progress", "running"],
    Stopping: ["Stopping", "running"],
    Stopped: ["Stopped", "stopped"],
    Succeeded: ["Succeeded", "good"],
    Superseded: ["Superseded", "passed"],
    Cancelled: ["Cancelled", "stopped"],
    Failed: ["Failed", "bad"],
    Abandoned: ["Abandoned", "stopped"],
    // States of the page: an open approval, a stage that waits, and stages and actions that have not run.
    Approval: ["Waiting for approval", "waiting"],
    Waiting: ["Waiting", "waiting"],
    NotStarted: ["Not started", "none"],
    NotRun: ["Did not run", "none"],
};

/** A small drawing without meaning of its own: the words next to it have the meaning. */
export function icon(name) {
    return h("svg", { key: name, class: `icon ${name}`, viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
        ICONS[name].map((d) => h("path", { d })));
}

/** The words for a status; a status that we do not know stands for itself. */
export function words(status) {
    return STATUSES[status]?.[0] ?? status;
}

/** The icon and the words of a status. */
export function badge(status) {
    const kind = STATUSES[status]?.[1] ?? "none";
    return h("span", { class: `status ${kind}` }, icon(kind), h("span", {}, words(status)));
}

/** The colour of a status, as a class for boxes. */
export function tone(status) {
    return STATUSES[status]?.[1] ?? "none";
}

/** The status of an action for the page. `running` says whether its execution continues. */
export function actionStatus(declared, action, running) {
    if (!action) return running ? "NotStarted" : "NotRun";
    const category = declared?.type?.category ?? action.type?.category;
    return action.status === "InProgress" && category === "Approval" ? "Approval" : action.status;
}

/** Whether an execution in this status may still change by itself. */
export function isRunning(status) {
    return status === "InProgress" || status === "Stopping";
}
