// The dialogs behind the buttons: each asks, calls one operation of CodePipeline, and shows CodePipeline's message if it refuses.

import { call, read } from "./calls.js";
import { h, show } from "./element.js";
import { executionLink } from "./route.js";

// The characters that CodePipeline does not allow in the reason of a disabled transition.
const NOT_IN_REASONS = /[^a-zA-Z0-9!@ ().*?-]/gu;
const IN_REASONS = "letters from A to Z, digits, spaces and ! @ ( ) . * ? -";

/** Starts an execution, after it asked for the pipeline's variables; then goes to the execution. */
export function startDialog(pipeline) {
    ask({
        title: `Start ${pipeline}`,
        button: "Start execution",
        prepare: async () => {
            const { items } = await read("view", { view: "executions", pipeline, limit: 1 });
            return start(pipeline, items[":pipeline"]?.variables ?? []);
        },
    });
}

function start(pipeline, variables) {
    return {
        text: variables.length ? "Values of the pipeline's variables in this execution:" : "The pipeline's sources are read, and a new execution starts.",
        fields: variables.map(({ name, default: value, description, secret }) => text(name, name, {
            value, secret, hint: [description, secret && "A secret setting of an action uses it, so its default is not shown.",
                (secret || value !== undefined) && h("span", {}, "Without a value, the default applies.")].filter(Boolean),
        })),
        async send(form) {
            const given = variables.map(({ name }) => ({ name, value: form.get(name) })).filter(({ value }) => value !== "");
            const input = given.length ? { name: pipeline, variables: given } : { name: pipeline };
            const { pipelineExecutionId } = await call("StartPipelineExecution", input);
            location.hash = executionLink(pipeline, pipelineExecutionId);
        },
    };
}

export function stopDialog(pipeline, execution) {
    ask({
        title: "Stop this execution",
        fields: [
            choice("How to stop", "how", [
                ["wait", "Stop and wait", "Actions in progress finish first."],
                ["abandon", "Stop and abandon", "Actions in progress are abandoned. Their work outside of the pipeline may continue."],
            ]),
            text("Reason", "reason", { optional: true, maxlength: 200 }),
        ],
        button: "Stop execution",
        async send(form) {
            const reason = form.get("reason");
            await call("StopPipelineExecution", {
                pipelineName: pipeline, pipelineExecutionId: execution, abandon: form.get("how") === "abandon", ...(reason && { reason }),
            });
        },
    });
}

export function retryDialog(pipeline, execution, stage) {
    ask({
        title: `Retry ${stage}`,
        fields: [choice("Actions to run again", "mode", [
            ["FAILED_ACTIONS", "Failed actions", "Actions that succeeded keep their results."],
            ["ALL_ACTIONS", "All actions", "The stage runs again from its first action."],
        ])],
        button: "Retry stage",
        async send(form) {
            await call("RetryStageExecution", {
                pipelineName: pipeline, stageName: stage, pipelineExecutionId: execution, retryMode: form.get("mode"),
            });
        },
    });
}

export function approvalDialog(pipeline, { stage, name, token, approval }) {
    ask({
        title: `Review ${name}`,
        text: approval?.data,
        fields: [
            choice("Decision", "status", [
                ["Approved", "Approve", "The pipeline continues."],
                ["Rejected", "Reject", "The action fails, and the pipeline stops here."],
            ]),
            text("Comment", "comment", { optional: true, maxlength: 512, long: true }),
        ],
        button: "Submit",
        async send(form) {
            await call("PutApprovalResult", {
                pipelineName: pipeline, stageName: stage, actionName: name, token,
                result: { status: form.get("status"), summary: form.get("comment") },
            });
        },
    });
}

export function transitionDialog(pipeline, stage, enabled) {
    const place = { pipelineName: pipeline, stageName: stage, transitionType: "Inbound" };
    ask(enabled ? {
        title: `Disable the transition into ${stage}`,
        text: `Executions will wait before ${stage} until the transition is enabled again.`,
        fields: [text("Reason", "reason", { maxlength: 300, hint: [`Only ${IN_REASONS}`] })],
        button: "Disable transition",
        async send(form) {
            const reason = form.get("reason");
            const others = [...new Set(reason.match(NOT_IN_REASONS))];
            if (others.length > 0) throw new Error(`CodePipeline does not allow ${others.join(" ")} in a reason. Use only ${IN_REASONS}`);
            await call("DisableStageTransition", { ...place, reason });
        },
    } : {
        title: `Enable the transition into ${stage}`,
        text: `The latest execution that waits before ${stage} enters it.`,
        fields: [],
        button: "Enable transition",
        send: () => call("EnableStageTransition", place),
    });
}

// Shows a dialog. It closes after its call succeeded, and then focus returns to the button that opened it. With `prepare`, it opens before
// its text, its fields and its call are read, and can be submitted afterwards.
function ask({ title, button, prepare, ...known }) {
    // A dialog that has closed is removed a moment later.
    if (document.querySelector("dialog[open]")) return;
    const opener = document.activeElement;
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "dialog-title");
    const state = { title, button, content: prepare ? undefined : known, problem: undefined, busy: false, again: undefined };
    const draw = () => show(dialog, form(state, submit, () => dialog.close()));
    // Does something that may fail, and shows why it failed.
    const attempt = async (action) => {
        if (state.busy) return;
        Object.assign(state, { busy: true, problem: undefined });
        draw();
        try {
            await action();
        } catch (error) {
            state.problem = error.message;
        }
        state.busy = false;
        draw();
    };
    const submit = (given) => state.content && attempt(async () => {
        await state.content.send(given);
        dialog.close();
    });
    const load = async () => {
        await attempt(async () => { state.content = await prepare(); });
        if (!state.content) state.again = load;
        else if (!dialog.contains(document.activeElement) || document.activeElement.matches("[type=submit]")) focusFirst(dialog);
        draw();
    };
    dialog.onclose = () => {
        dialog.remove();
        if (!opener?.isConnected) document.querySelector("main h1")?.focus();
    };
    draw();
    document.body.append(dialog);
    dialog.showModal();
    focusFirst(dialog);
    if (prepare) load();
}

function focusFirst(dialog) {
    (dialog.querySelector("input, textarea") ?? dialog.querySelector("[type=submit]")).focus();
}

function form({ title, button, content, problem, busy, again }, submit, close) {
    const isReading = busy && !content;
    return h("form", {
        method: "dialog",
        onsubmit: (event) => {
            event.preventDefault();
            submit(new FormData(event.target));
        },
    },
    h("h2", { id: "dialog-title" }, title),
    isReading && h("p", { key: "reading", class: "quiet", role: "status" }, "Reading the pipeline's variables…"),
    content?.text && h("p", { key: "text", class: "dialog-text" }, content.text),
    content?.fields,
    h("div", { key: "problem", class: "problem", role: "alert" }, problem),
    h("div", { class: "buttons" },
        h("button", { type: "button", onclick: close }, "Cancel"),
        !content && again && h("button", { key: "again", type: "button", onclick: again, "aria-disabled": busy && "true" }, "Try again"),
        h("button", { key: "submit", type: "submit", class: "primary", "aria-disabled": (busy || !content) && "true" },
            busy && content ? "Sending…" : button)));
}

function text(label, name, { value, hint, optional, maxlength, long, secret } = {}) {
    const id = `field-${name}`;
    return h("div", { key: `field:${name}`, class: "field" },
        h("label", { for: id }, label, optional && h("span", { class: "quiet" }, " – optional")),
        hint?.length > 0 && h("span", { id: `${id}-hint`, class: "quiet" }, hint),
        h(long ? "textarea" : "input", { id, name, maxlength, type: secret && "password", value: long ? undefined : value, "aria-describedby": hint?.length > 0 && `${id}-hint`, autocomplete: "off" }));
}

function choice(legend, name, options) {
    return h("fieldset", { key: `field:${name}` }, h("legend", {}, legend), options.map(([value, label, hint], index) => h("label", { key: value, class: "option" },
        h("input", { type: "radio", name, value, checked: index === 0 }),
        h("span", {}, label, h("span", { class: "quiet" }, hint)))));
}
