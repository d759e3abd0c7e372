// Parts of several views: links, triggers, revisions, lists of facts, empty states, breadcrumbs and buttons.

import { h } from "./element.js";
import { short } from "./format.js";

/** A link to another page, or the plain text if the address is not one of http or https. */
export function outerLink(url, text) {
    let safe = false;
    try {
        safe = ["http:", "https:"].includes(new URL(url).protocol);
    } catch {
        // Not an address.
    }
    if (!safe) return h("span", { class: "not-a-link" }, text === url ? url : `${text}: ${url}`);
    return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", class: "outer" }, text);
}

/** Why an execution started. */
export function trigger({ type, detail } = {}) {
    const known = { StartPipelineExecution: "Started by a call", CreatePipeline: "New pipeline", PollForSourceChanges: "Source change" };
    return h("span", { class: "trigger" }, known[type] ?? type ?? "", detail && h("span", { class: "quiet" }, detail));
}

/** The source revisions of an execution. With `summaries`, each with its commit message. */
export function revisions(list, summaries) {
    if (!list?.length) return h("span", { class: "quiet" }, "None yet");
    return h("ul", { class: "revisions" }, list.map(({ action, id, summary, url }) => h("li", { key: action },
        h("span", { class: "quiet" }, action),
        url ? outerLink(url, short(id)) : h("code", { title: id }, short(id)),
        summaries && summary && !summary.includes(id) && h("span", { class: "revision-summary" }, summary))));
}

/** A list of names with values: [name, value, class]. Rows without a value are left out. */
export function facts(rows) {
    return h("dl", { class: "facts" }, rows.filter(([, value]) => value !== undefined && value !== null && value !== false && value !== "")
        .map(([name, value, look]) => h("div", { key: name, class: look }, h("dt", {}, name), h("dd", {}, value))));
}

/** Names with their values as a table: variables and configuration. */
export function pairs(caption, entries) {
    return h("table", { class: "pairs" }, h("caption", { class: "unseen" }, caption),
        h("colgroup", {}, h("col", { class: "pair-name" }), h("col", {})),
        h("thead", { class: "unseen" }, h("tr", {}, h("th", { scope: "col" }, "Name"), h("th", { scope: "col" }, "Value"))),
        h("tbody", {}, entries.map(([name, value]) => h("tr", { key: name }, h("th", { scope: "row" }, name), h("td", {}, value)))));
}

/** The breadcrumbs: [text, address] for each level. The last one has no address. */
export function trail(...steps) {
    return h("nav", { key: "trail", class: "trail", "aria-label": "Breadcrumb" }, h("ol", {}, steps.map(([text, address]) => h("li", { key: text },
        address ? h("a", { href: address }, text) : h("span", { "aria-current": "page" }, text)))));
}

/** The heading of a view. It gets the focus when the user comes to the view. */
export function heading(level, ...content) {
    return h(`h${level}`, { tabindex: "-1" }, content);
}

/** The box of a view that has nothing to list. */
export function empty(title, ...content) {
    return h("div", { key: "empty", class: "empty" }, h("p", { class: "empty-title" }, title), content);
}

/** A button that calls CodePipeline. Without the token, it stays in reach of the keyboard, and says why it does nothing. */
export function callButton(context, text, press, { primary, label, key } = {}) {
    const off = !context.canAct;
    return h("button", {
        key: key ?? text, type: "button", class: primary ? "primary" : undefined, "aria-label": label, "aria-disabled": off && "true",
        "aria-describedby": off && "notice", title: off ? context.whyNot : undefined, onclick: off ? null : press,
    }, text);
}
