// Texts of others, made clear: no character hides or turns a text around, and log lines are without colours and JSON.

// Control characters but tabs and line ends, and the characters that change the direction of the text after them.
const HIDDEN = /[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\u202A-\u202E\u2066-\u2069]|\r(?!\n)/g;
const COLOURS = /\x1B\[[\d;:]*[mK]/g;
// A name or value that needs no quotes to be read as one.
const PLAIN = /^[^\s"'=]+$/;

/** Writes control characters, and those that change the direction of text, as escapes such as \u202E. */
export function visible(text) {
    return text.replace(HIDDEN, (found) => `\\u${found.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
}

/**
 * The parts of a log line, without colours. Of a line in Lambda's JSON format: its level, its message and its other members as
 * key=value, without its time. Any other line is a message.
 */
export function lineParts(line) {
    const text = line.replace(COLOURS, "").replace(/\r$/, "");
    if (!text.startsWith("{")) return { message: text };
    let members;
    try {
        members = JSON.parse(text, exact);
    } catch {
        return { message: text };
    }
    const { timestamp, level, message, ...others } = members;
    const entries = Object.entries(others);
    const isClear = timestamp !== undefined && typeof level === "string" && message !== undefined && entries.every(([name]) => PLAIN.test(name));
    if (!isClear) return { message: text };
    return {
        level, message: (typeof message === "string" ? message : JSON.stringify(message)).replace(COLOURS, ""),
        others: entries.map(([name, value]) => `${name}=${typeof value === "string" && PLAIN.test(value) ? value : JSON.stringify(value)}`).join(" "),
    };
}

// Fails for a number that JavaScript would change.
function exact(_, value) {
    if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new RangeError("too large");
    return value;
}
