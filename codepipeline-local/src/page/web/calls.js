// Calls of CodePipeline's operations for the buttons, and requests for data.

import { api, token } from "./route.js";

/** Why buttons are off without the token. */
export const WHY_NOT = "Buttons are off, because this address has no valid token. Open the address that codepipeline-local printed.";

/** Why buttons are off after a run. */
export const RUN_ENDED = "Buttons are off, because the run has ended. The page shows its last state.";

// How long a request may take. It waits for ever if other windows use all connections that the browser opens to a host.
const TIMEOUT_MS = 20_000;

/** Calls an operation of CodePipeline and returns its reply. Throws an error with CodePipeline's message if it refuses. */
export async function call(operation, input) {
    return answerOf(fetch(api(`call/${operation}`), {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(input), signal: AbortSignal.timeout(TIMEOUT_MS),
    }));
}

/** Reads data of the emulator as JSON. Throws an error with the emulator's message if it refuses. */
export async function read(path, query) {
    return answerOf(fetch(api(path, query), { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) }));
}

/** Whether the address has a token at all. */
export function hasToken() {
    return token() !== "";
}

async function answerOf(request) {
    let answer;
    try {
        answer = await request;
    } catch (error) {
        if (error.name === "TimeoutError") throw new Error(`The emulator did not answer within ${TIMEOUT_MS / 1000} s. If six or more windows show this page, close some of them.`);
        throw new Error("The emulator did not answer. Check that codepipeline-local runs, and try again.");
    }
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(body.message ?? `The emulator answered with status ${answer.status}.`);
    return body;
}
