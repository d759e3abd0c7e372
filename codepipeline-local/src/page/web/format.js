// Times, durations and sizes as people read them.

import { h } from "./element.js";

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const precise = new Intl.DateTimeFormat(undefined, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
});
const number = new Intl.NumberFormat();

/** A moment: today's as a time, an older one with its date. The full time is in its title. */
export function moment(ms) {
    const at = new Date(ms);
    return h("time", { class: "moment", datetime: at.toISOString(), title: full.format(at) }, dated(at));
}

function dated(at) {
    const now = new Date();
    if (at.toDateString() === now.toDateString()) return clock.format(at);
    return `${(at.getFullYear() === now.getFullYear() ? day : date).format(at)}, ${clock.format(at)}`;
}

/** A moment to the millisecond, for lists of events that follow each other fast. */
export function preciseMoment(ms) {
    const at = new Date(ms);
    return h("time", { datetime: at.toISOString(), title: full.format(at) }, precise.format(at));
}

/** A duration in its two largest units: "350 ms", "4.2 s", "1 min 5 s", "2 h 3 min", "1 d 2 h". */
export function duration(ms) {
    if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
    if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
    const seconds = Math.floor(ms / 1000);
    if (seconds < 60) return `${seconds} s`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
    const hours = Math.floor(minutes / 60);
    return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How long something took. Without an end, it runs, and `tick` counts its seconds. */
export function elapsed(from, to) {
    if (to !== undefined) return h("span", { key: "ended", class: "duration" }, duration(to - from));
    return h("span", { key: "running", class: "duration", "data-since": from, own: true, once: count });
}

// The day for which the document's moments are written.
let writtenOn = new Date().toDateString();

/** Updates all running durations of the document, and all moments once the day is another; call it once a second. */
export function tick() {
    for (const element of document.querySelectorAll("[data-since]")) count(element);
    const today = new Date().toDateString();
    if (today === writtenOn) return;
    writtenOn = today;
    for (const element of document.querySelectorAll(".moment")) element.firstChild.data = dated(new Date(element.dateTime));
}

function count(element) {
    const passed = Date.now() - Number(element.dataset.since);
    const text = duration(Math.max(0, Math.floor(passed / 1000) * 1000)).replace("0 ms", "0 s").replace(".0 s", " s");
    // The same text again would cost a layout.
    if (element.textContent !== text) element.textContent = text;
}

/** A size: "0 bytes", "812 bytes", "1.2 kB", "34 MB". */
export function bytes(count) {
    if (count < 1000) return `${count} byte${count === 1 ? "" : "s"}`;
    let value = count;
    let unit = "";
    for (unit of ["kB", "MB", "GB", "TB"]) {
        value /= 1000;
        if (value < 999.5) break;
    }
    return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** "1 line", "1,204 lines". */
export function plural(count, noun) {
    return `${number.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** The first characters of an id, as in lists. Commit ids and UUIDs stay recognizable. */
export function short(id) {
    return /^[0-9a-f]{40}$|^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(id) ? id.slice(0, 8) : id;
}
