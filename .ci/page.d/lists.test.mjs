// Long lists: the newest 1,000 executions at once, older ones on demand, and 50 actions next to each other.

import assert from "node:assert/strict";
import { test } from "node:test";

import { open } from "./browser.mjs";
import { until } from "./emulator.mjs";
import { createPipeline, shell, source } from "./pipelines.mjs";
import { setup } from "./setup.mjs";

const world = setup(undefined, ["--skip", "Skipped"]);

test("1,003 executions", async () => {
    const { emulator, browser } = world;
    const oldest = await createPipeline(emulator, "often", { Source: [source()], Check: [shell("Skipped")] });
    const start = async () => (await emulator.call("StartPipelineExecution", { name: "often" })).pipelineExecutionId;
    for (let count = 1; count < 1003; count += 1) await start();
    const page = await open(browser, emulator.address("#/p/often"));
    const rows = page.locator(".executions .row:not(.header)");
    await page.getByText("3 older executions not shown").waitFor();
    assert.equal(await rows.count(), 1000);
    await rows.first().evaluate((row) => { row.dataset.seen = "before"; });
    const newest = await start();
    await until("the newest execution", async () => (await rows.first().textContent()).includes(newest.slice(0, 8)));
    assert.equal(await rows.nth(1).getAttribute("data-seen"), "before", "rows stay");
    await page.getByRole("button", { name: "Show older ones" }).click();
    await page.getByRole("link", { name: oldest.slice(0, 8) }).waitFor();
    await until("all rows", async () => await rows.count() === 1004);
    await page.finish();
});

test("50 parallel actions", async () => {
    const { emulator, browser } = world;
    const actions = Array.from({ length: 50 }, (_, index) => shell(`Action-${index + 1}`));
    const execution = await createPipeline(emulator, "wide", { Source: [source()], Check: actions });
    const page = await open(browser, emulator.address(`#/p/wide/e/${execution}`));
    await until("all cards", async () => await page.locator(".card", { hasText: "In progress" }).count() === 50);
    await emulator.call("StopPipelineExecution", { pipelineName: "wide", pipelineExecutionId: execution, abandon: true });
    await until("all abandoned", async () => await page.locator(".card", { hasText: "Abandoned" }).count() === 50);
    await page.finish();
});
