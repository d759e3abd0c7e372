// The stage that an execution is in, and the reason why it waits there.

import { h } from "./element.js";
import { short } from "./format.js";
import { executionLink } from "./route.js";

/** The place of an execution in progress, in words; nothing if it has ended. */
export function place({ stage, wait }) {
    if (!stage) return null;
    if (!wait) return `In ${stage}`;
    return { approval: `${wait.action} in ${stage} waits for approval`, transition: `Waits before ${stage}: the transition is disabled` }[wait.for]
        ?? `Waits before ${stage}: another execution is in it`;
}

/** The execution that this one waits for, with a link; nothing if it waits for something else. */
export function holder(pipeline, { wait }) {
    if (wait?.for !== "execution") return null;
    return h("span", { key: "holder" }, " for execution ", h("a", { href: executionLink(pipeline, wait.execution) }, short(wait.execution)));
}
