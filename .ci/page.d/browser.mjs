// Chromium, and pages that fail a test for what must never happen: errors in the console and requests to another host.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const library = createRequire(`${process.env.PAGE_LIBRARIES}/`);
const { chromium } = library("playwright-core");
const AXE = library.resolve("axe-core/axe.min.js");

/** Starts a Chromium with an empty profile. */
export function launch() {
    return chromium.launch({
        executablePath: process.env.PAGE_CHROMIUM ?? "/usr/bin/chromium",
        args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
}

/**
 * Opens an address. `expected` matches the console errors that the test causes, such as those of refused calls. Call `finish` at the end
 * of the test.
 */
export async function open(browser, address, { expected, ...options } = {}) {
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const problems = [];
    const host = new URL(address).host;
    page.on("console", (message) => {
        if (["error", "warning"].includes(message.type()) && !expected?.test(message.text())) problems.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => problems.push(`error: ${error.stack}`));
    page.on("dialog", (dialog) => { problems.push(`a script opened a dialog: ${dialog.message()}`); dialog.dismiss(); });
    context.on("request", (request) => { if (new URL(request.url()).host !== host) problems.push(`request to ${request.url()}`); });
    await page.goto(address);
    page.finish = async () => {
        await context.close();
        assert.deepEqual(problems, []);
    };
    return page;
}

/** Waits until the page shows the text. */
export async function shows(page, text, within = "main") {
    await page.locator(within).getByText(text).filter({ visible: true }).first().waitFor();
}

/** Fails if axe-core finds something on the page. axe-core runs in a world of its own, so the page's policy stays as it is. */
export async function assertAccessible(page) {
    const session = await page.context().newCDPSession(page);
    const { frameTree } = await session.send("Page.getFrameTree");
    const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
    const evaluate = async (expression) => {
        const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
            expression, contextId: executionContextId, awaitPromise: true, returnByValue: true,
        });
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
    };
    const { readFile } = await import("node:fs/promises");
    await evaluate(`${await readFile(AXE, "utf8")}; 0`);
    const found = await evaluate(`axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, help, nodes }) =>
        id + ": " + help + "\\n" + nodes.map(({ html, failureSummary }) => html + "\\n" + failureSummary).join("\\n")))`);
    assert.deepEqual(found, [], found.join("\n\n"));
}
