// Calls of CodePipeline's operations for the buttons, and requests for data.

import { api, token } from "./route.js";

/** Why buttons are off without the token. */
export const WHY_NOT = "Buttons are off, because this address has no valid token. Open the address that codepipeline-local printed.";

/** Calls an operation of CodePipeline and returns its reply. Throws an error with CodePipeline's message if it refuses. */
export async function call(operation, input) {
    return answerOf(fetch(api(`call/${operation}`), {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(input),
    }));
}

/** Reads data of the emulator as JSON. Throws an error with the emulator's message if it refuses. */
export async function read(path, query) {
    return answerOf(fetch(api(path, query), { cache: "no-store" }));
}

/** Whether the address has a token at all. */
export function hasToken() {
    return token() !== "";
}

async function answerOf(request) {
    let answer;
    try {
        answer = await request;
    } catch {
        throw new Error("The emulator did not answer. Check that codepipeline-local runs, and try again.");
    }
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(body.message ?? `The emulator answered with status ${answer.status}.`);
    return body;
}
