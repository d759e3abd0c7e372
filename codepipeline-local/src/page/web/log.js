// The log of an action. It follows its end until the user scrolls up. Lines that are shown stay the same elements, so a selection of
// text stays.

import { h, show } from "./element.js";
import { plural, preciseMoment } from "./format.js";
import { lineParts } from "./text.js";

// How close to its end a log counts as at its end, in pixels.
const NEAR = 24;
// How many rows are shown. Later ones replace the oldest. The emulator keeps as many lines.
const MOST = 5000;

/** The lines of one action. */
export class Log {
    constructor() {
        this.start();
        this.following = true;
        this.box = document.createElement("div");
        this.box.className = "log";
        this.box.tabIndex = 0;
        this.box.setAttribute("role", "log");
        // A screen reader reads the lines on demand, because a busy log would hide everything else.
        this.box.setAttribute("aria-live", "off");
        this.box.setAttribute("aria-label", "Log lines");
        this.box.onscroll = () => {
            this.following = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR;
            this.end.hidden = this.following;
        };
        this.end = document.createElement("button");
        this.end.type = "button";
        this.end.className = "to-end";
        this.end.textContent = "Go to the end";
        this.end.hidden = true;
        this.end.onclick = () => { this.follow(); this.box.focus({ preventScroll: true }); };
        this.note = document.createElement("p");
        this.note.className = "quiet";
        // Rows leave out parts of their lines until the user asks for whole lines.
        this.raw = document.createElement("button");
        this.raw.type = "button";
        this.raw.className = "raw-lines";
        this.raw.textContent = "Show raw lines";
        this.raw.setAttribute("aria-pressed", "false");
        this.raw.onclick = () => this.showRaw(!this.isRaw);
    }

    start() {
        /** The number of the first line that is shown, and of the next one. */
        this.first = undefined;
        this.next = undefined;
        this.last = undefined;
        this.connection = undefined;
        /** Whether a line has more than its row. */
        this.hasShort = false;
        /** The line of each row. */
        this.lines = new WeakMap();
        this.box?.replaceChildren();
    }

    /** Describes the log for `show`. `hasEnded` says that the action writes no more lines. */
    view(hasEnded = false) {
        this.hasEnded = hasEnded;
        this.describe();
        return h("div", { key: "log", class: "log-frame", own: true, once: (frame) => {
            frame.append(this.note, this.raw, this.box, this.end);
            // Only what is in the document scrolls, and the frame is not there yet.
            queueMicrotask(() => { if (this.following) this.follow(); });
        } });
    }

    /** Takes lines of a `log` event. After a reconnection, all lines come again; those that are here stay. */
    receive({ first, lines }, connection) {
        if (this.connection !== connection) {
            const here = lines[this.next - 1 - first];
            const same = this.next !== undefined && (here ? here.text === this.last?.text && here.at === this.last?.at : first === this.next);
            if (!same) this.start();
            this.connection = connection;
        }
        const added = this.next === undefined ? lines : lines.slice(Math.max(0, this.next - first));
        const missing = first > this.next ? first - this.next : 0;
        this.first ??= first;
        this.next = Math.max(this.next ?? 0, first + lines.length);
        if (added.length > 0 || missing > 0) {
            const fragment = document.createDocumentFragment();
            if (missing > 0) fragment.append(gap(missing));
            this.last = lines.at(-1);
            for (const line of added) fragment.append(this.row(line));
            this.box.append(fragment);
            this.trim();
            if (this.following) this.follow();
        }
        this.describe();
    }

    // Removes the oldest rows. Lines that the user reads stay in their place.
    trim() {
        if (this.box.childElementCount <= MOST) return;
        const below = this.box.scrollHeight - this.box.scrollTop;
        while (this.box.childElementCount > MOST || this.box.firstChild.dataset.lines) {
            this.first += Number(this.box.firstChild.dataset.lines ?? 1);
            this.box.firstChild.remove();
        }
        this.box.scrollTop = this.box.scrollHeight - below;
    }

    row(line) {
        const element = document.createElement("div");
        element.className = "line";
        this.lines.set(element, line);
        this.fill(element);
        return element;
    }

    fill(element) {
        const { at, from, text } = this.lines.get(element);
        const { level, message, others, isShort } = lineParts(text);
        this.hasShort ||= isShort === true;
        const shown = this.isRaw ? text : [level && [h("strong", {}, level), " "], message, others && [" ", h("span", { class: "quiet" }, others)]];
        show(element, preciseMoment(at), from && h("span", { class: "from" }, from), h("span", { class: "text" }, shown));
    }

    // Shows whole lines, or short ones again. The first row that the user sees stays in its place.
    showRaw(isRaw) {
        this.isRaw = isRaw;
        this.raw.setAttribute("aria-pressed", String(isRaw));
        const top = this.box.getBoundingClientRect().top;
        const first = [...this.box.children].find((row) => row.getBoundingClientRect().bottom > top);
        const before = first?.getBoundingClientRect().top;
        for (const row of this.box.children) if (this.lines.has(row)) this.fill(row);
        if (this.following) this.follow();
        else if (first) this.box.scrollTop += first.getBoundingClientRect().top - before;
    }

    describe() {
        const none = this.first === undefined;
        const earlier = none ? 0 : this.first - 1;
        const text = none ? this.none() : `${plural(earlier, "earlier line")} not kept`;
        this.box.hidden = this.box.childElementCount === 0;
        this.raw.hidden = !this.hasShort;
        this.note.hidden = !none && earlier === 0;
        if (this.note.textContent !== text) this.note.textContent = text;
    }

    none() {
        return this.hasEnded ? "No lines" : "No lines yet. Workers and functions that codepipeline-local runs, and builds, write here.";
    }

    follow() {
        this.box.scrollTop = this.box.scrollHeight;
    }
}

// Stands for lines between others that the emulator no longer had.
function gap(count) {
    const line = document.createElement("div");
    line.className = "gap quiet";
    line.dataset.lines = count;
    line.textContent = `${plural(count, "line")} not kept`;
    return line;
}
