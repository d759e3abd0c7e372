// Texts of others, made clear: no character hides or turns a text around, and log lines are without colours and JSON.

// Control characters but tabs and line ends, and the characters that change the direction of the text after them.
const HIDDEN = /[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\u202A-\u202E\u2066-\u2069]|\r(?!\n)/g;
const COLOURS = /\x1B\[[\d;:]*[mK]/g;
// A name or value that needs no quotes to be read as one.
const PLAIN = /^[^\s"'=]+$/;
// Members with the context of a line: of each line, and of a line about a job.
const CONTEXT = new Set(["target", "requestId", "xrayTraceId"]);
const CONTEXT_OF_JOBS = new Set(["action", "actionExecutionId", "actionType", "jobId", "name", "pipeline", "pipelineExecutionId", "stage"]);

/** Writes control characters, and those that change the direction of text, as escapes such as \u202E. */
export function visible(text) {
    return text.replace(HIDDEN, (found) => `\\u${found.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
}

/**
 * The parts of a log line, without colours. Of a line in Lambda's JSON format: its level, its message and its other members as
 * key=value, without its time and its context. Of a line with metrics: the metrics. Any other line is a message. `isShort` says that
 * the line has more.
 */
export function lineParts(line) {
    const text = line.replace(COLOURS, "").replace(/\r$/, "");
    const members = text.startsWith("{") ? parsed(text) : undefined;
    if (!members) return { message: text };
    const { timestamp, level, message, ...others } = members;
    const entries = Object.entries(others);
    const metrics = metricNames(members);
    if (metrics) return parts(typeof level === "string" && level, message ?? "metrics", entries.filter(([name]) => metrics.has(name)));
    const isClear = timestamp !== undefined && typeof level === "string" && message !== undefined && entries.every(([name]) => PLAIN.test(name));
    return isClear ? parts(level, message, entries.filter(([name, value]) => !isContext(name, value, members))) : { message: text };
}

function parsed(text) {
    try {
        return JSON.parse(text, exact);
    } catch {
        return undefined;
    }
}

function parts(level, message, entries) {
    return {
        level, message: (typeof message === "string" ? message : JSON.stringify(message)).replace(COLOURS, ""), isShort: true,
        others: entries.map(([name, value]) => `${name}=${typeof value === "string" && PLAIN.test(value) ? value : JSON.stringify(value)}`).join(" "),
    };
}

// Whether a member repeats what the panel shows, or names the invocation or the code. `name` is the name of the job's span.
function isContext(name, value, { jobId }) {
    if (CONTEXT.has(name)) return true;
    return jobId !== undefined && (CONTEXT_OF_JOBS.has(name) || (name === "stream" && value === "stdout"));
}

// The names of the metrics of a line in CloudWatch's embedded metric format.
function metricNames({ _aws: about }) {
    const groups = about?.CloudWatchMetrics;
    if (!Array.isArray(groups)) return undefined;
    return new Set(groups.flatMap((group) => group?.Metrics ?? []).map((metric) => metric?.Name));
}

// Fails for a number that JavaScript would change.
function exact(_, value) {
    if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new RangeError("too large");
    return value;
}
