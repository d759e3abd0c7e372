// The page's address. The fragment names the view, so Reload and Back work. The token is a query parameter, and stays.

const VIEWS = [
    { name: "pipelines", pattern: "pipelines" },
    { name: "executions", pattern: "p/:pipeline" },
    { name: "execution", pattern: "p/:pipeline/e/:execution" },
    { name: "execution", pattern: "p/:pipeline/e/:execution/a/:stage/:action" },
    { name: "execution", pattern: "p/:pipeline/e/:execution/a/:stage/:action/:attempt" },
];

/** The token of the page's address, or "". */
export function token() {
    return new URLSearchParams(location.search).get("token") ?? "";
}

/** The view that the fragment names, with its parameters; without a fragment, the list of pipelines. */
export function route() {
    const fragment = location.hash.replace(/^#\/?/, "") || "pipelines";
    const parts = fragment.split("/").map(decode);
    for (const { name, pattern } of VIEWS) {
        const names = pattern.split("/");
        if (names.length !== parts.length) continue;
        if (!names.every((part, index) => part === parts[index] || (part.startsWith(":") && parts[index]))) continue;
        const found = { name };
        names.forEach((part, index) => { if (part.startsWith(":")) found[part.slice(1)] = parts[index]; });
        return found;
    }
    return { name: "unknown" };
}

/** The link to a view, from the parts of its path. */
export function link(...parts) {
    return "#/" + parts.map(encodeURIComponent).join("/");
}

/** The link to an execution. */
export function executionLink(pipeline, execution) {
    return link("p", pipeline, "e", execution);
}

/** The link to an action of an execution; `attempt` counts from 1 and is left out for the latest one. */
export function actionLink(pipeline, execution, stage, action, attempt) {
    const parts = ["p", pipeline, "e", execution, "a", stage, action];
    return link(...parts, ...(attempt ? [attempt] : []));
}

/** The address of a request to the emulator, with the token. */
export function api(path, query) {
    const url = new URL("api/" + path, new URL(".", location.origin + location.pathname));
    for (const [name, value] of Object.entries(query ?? {})) {
        if (value !== undefined) url.searchParams.set(name, value);
    }
    if (token()) url.searchParams.set("token", token());
    return url.href;
}

function decode(part) {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}
