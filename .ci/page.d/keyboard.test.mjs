// Everything works with the keyboard alone, and the focus is at the expected place.

import assert from "node:assert/strict";
import { test } from "node:test";

import { open, shows } from "./browser.mjs";
import { until } from "./emulator.mjs";
import { approval, createPipeline, executionStatus, latestExecution, source } from "./pipelines.mjs";
import { setup } from "./setup.mjs";

const world = setup();

const focused = (page) => page.evaluate(() => {
    const { tagName, textContent, ariaLabel } = document.activeElement;
    return `${tagName} ${(ariaLabel ?? textContent).trim()}`;
});

/** Presses Tab until the focus is on an element with this text. Each stop must be visible. */
async function tabTo(page, wanted) {
    const passed = [];
    for (let count = 0; count < 60; count += 1) {
        await page.keyboard.press("Tab");
        const now = await focused(page);
        if (now === wanted) {
            const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
            assert.notEqual(outline, "none", `no visible focus on ${wanted}`);
            return;
        }
        passed.push(now);
    }
    assert.fail(`Tab never reached "${wanted}", only ${passed.join(", ")}`);
}

test("one pipeline from its start to its approval without a mouse", async () => {
    const { emulator, browser } = world;
    const first = await createPipeline(emulator, "keys", { Source: [source()], Review: [approval("Look")] }, { variables: [{ name: "Tag", defaultValue: "v1" }] });
    await emulator.call("StopPipelineExecution", { pipelineName: "keys", pipelineExecutionId: first, abandon: true });
    const page = await open(browser, emulator.address());
    await page.getByRole("link", { name: "keys" }).waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "A Skip to the content");
    await page.keyboard.press("Enter");
    await tabTo(page, "A keys");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Executions" }).waitFor();
    assert.match(await focused(page), /^H1 keys/, "the focus is on the new view's heading");

    await tabTo(page, "BUTTON Start execution");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await until("the first field has the focus", () => page.evaluate(() => document.activeElement.name === "Tag"));
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.equal(await focused(page), "BUTTON Start execution", "the focus returns to the button");
    await page.keyboard.press("Enter");
    await until("the first field has the focus", () => page.evaluate(() => document.activeElement.name === "Tag"));
    await page.keyboard.press("Control+A");
    await page.keyboard.type("v2");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/e\//);
    await page.getByRole("heading", { name: "Look" }).waitFor();
    assert.match(await focused(page), /^H1 Execution/);

    await tabTo(page, "A Look");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary").waitFor();
    assert.match(await focused(page), /^H2 Review \/ Look/);
    await tabTo(page, "BUTTON Review Look");
    await page.keyboard.press("Enter");
    await dialog.waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Tab");
    await page.keyboard.type("not good enough");
    await tabTo(page, "BUTTON Submit");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await shows(page, /not good enough/);
    const execution = await latestExecution(emulator, "keys");
    await until("the execution fails", async () => await executionStatus(emulator, "keys", execution) === "Failed");
    assert.doesNotMatch(await focused(page), /^BODY/, "the focus survives that its button is gone");

    await page.keyboard.press("Shift+Tab");
    await tabTo(page, "A Close the action");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary").waitFor({ state: "detached" });
    assert.equal(await focused(page), "A Look", "the focus returns to the action");
    await tabTo(page, "BUTTON Retry stage Review");
    await page.keyboard.press("Space");
    await dialog.waitFor();
    await tabTo(page, "BUTTON Retry stage");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await shows(page, "Retried once");
    await page.finish();
});

test("a dialog keeps the focus inside", async () => {
    const { emulator, browser } = world;
    const page = await open(browser, emulator.address("#/p/keys"));
    await page.getByRole("button", { name: "Start execution" }).click();
    await page.getByRole("dialog").waitFor();
    for (let count = 0; count < 8; count += 1) {
        await page.keyboard.press("Tab");
        assert.ok(await page.evaluate(() => document.activeElement === document.body || document.querySelector("dialog").contains(document.activeElement)), await focused(page));
    }
    await page.finish();
});
