// Long texts and lists that a button opens and closes.

import { h } from "./element.js";

/** A button that opens and closes a part of the page. Its `aria-expanded` is the state, which style.css reads. */
export function toggle(more, less) {
    return h("button", { key: "toggle", type: "button", class: "toggle", "aria-expanded": "false", onclick: flip },
        h("span", { class: "if-closed" }, more), h("span", { class: "if-open" }, less));
}

/** A text of which the first lines are shown, 3 or 6. A longer text gets a button that shows all of it. */
export function folded(key, text, lines) {
    return h("div", { key, class: `fold lines-${lines}`, once: watch },
        h("div", { class: "fold-window" }, h("p", {}, text)),
        h("div", { class: "fold-button", hidden: true }, toggle("Show all", "Show less")));
}

function flip({ currentTarget: button }) {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    // What was above the button is gone.
    if (!open) button.scrollIntoView({ block: "nearest" });
}

// Shows the button once the text is longer than its window. An open text keeps the button.
function watch(fold) {
    const [frame, button] = fold.children;
    const measure = () => { button.hidden = !isOpen(fold) && frame.scrollHeight <= frame.clientHeight; };
    new ResizeObserver(measure).observe(frame.firstChild);
}

function isOpen(fold) {
    return fold.querySelector(".toggle").getAttribute("aria-expanded") === "true";
}
