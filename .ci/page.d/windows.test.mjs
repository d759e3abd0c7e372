// Several windows at once: a browser opens six connections to a host, and each window keeps one.

import assert from "node:assert/strict";
import { test } from "node:test";

import { open } from "./browser.mjs";
import { createPipeline, approval, source } from "./pipelines.mjs";
import { setup } from "./setup.mjs";

const world = setup();

test("the buttons of five windows with an open action work", async () => {
    const { emulator, browser } = world;
    const execution = await createPipeline(emulator, "windows", { Source: [source()], Review: [approval("Look")] });
    const address = emulator.address(`#/p/windows/e/${execution}/a/Review/Look`);
    const first = await open(browser, address);
    const all = [first];
    for (let count = 1; count < 5; count += 1) {
        const page = await first.context().newPage();
        await page.goto(address);
        all.push(page);
    }
    for (const page of all) {
        await page.getByRole("complementary").getByText("Timeline").waitFor();
        await page.getByRole("button", { name: "Start another execution" }).click();
        await page.getByRole("dialog").getByText("a new execution starts").waitFor();
        await page.getByRole("button", { name: "Cancel" }).click();
    }
    await all[4].getByRole("button", { name: "Review Look" }).first().click();
    await all[4].getByRole("dialog").getByRole("button", { name: "Submit" }).click();
    for (const page of all) await page.locator(".head").getByText("Succeeded").waitFor();
    await first.finish();
});

test("an action that is opened shows no data of the action before", async () => {
    const { emulator, browser } = world;
    const execution = await createPipeline(emulator, "panels", { Source: [source()], Review: [approval("Look"), approval("Read")] });
    const page = await open(browser, emulator.address(`#/p/panels/e/${execution}`));
    const panel = page.getByRole("complementary");
    for (const name of ["Look", "Read"]) {
        await page.getByRole("link", { name, exact: true }).click();
        await panel.getByRole("button", { name: `Review ${name}` }).waitFor();
        assert.equal(await panel.getByRole("button").filter({ hasText: "Review" }).count(), 1);
    }
    await page.getByRole("link", { name: "Source", exact: true }).click();
    await panel.getByText("App", { exact: true }).first().waitFor();
    assert.equal(await panel.getByRole("button", { name: /Review/ }).count(), 0);
    await page.getByRole("link", { name: "Close the action" }).click();
    await panel.waitFor({ state: "detached" });
    await emulator.call("StopPipelineExecution", { pipelineName: "panels", pipelineExecutionId: execution, abandon: true });
    await page.locator(".head").getByText("Stopped").waitFor();
    await page.finish();
});
