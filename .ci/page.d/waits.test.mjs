// The reasons why executions wait, and values that a start must not show.

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertAccessible, open, shows } from "./browser.mjs";
import { approval, createPipeline, latestExecution, shell, source } from "./pipelines.mjs";
import { setup } from "./setup.mjs";

const world = setup();

test("an execution that waits links to the one in the stage", async () => {
    const { emulator, browser } = world;
    const stages = { Source: [source()], Review: [approval("Look")] };
    const first = await createPipeline(emulator, "queue", stages);
    const list = await open(browser, emulator.address("#/pipelines"));
    await shows(list, "Look in Review waits for approval");
    const { pipelineExecutionId: second } = await emulator.call("StartPipelineExecution", { name: "queue" });
    await shows(list, "Waits before Review: another execution is in it");
    await assertAccessible(list);
    await list.goto(emulator.address(`#/p/queue/e/${second}`));
    await shows(list, "This execution waits here");
    await list.locator(".transition").getByRole("link", { name: first.slice(0, 8) }).click();
    await list.waitForURL((url) => url.hash.endsWith(first));

    // The pipeline loses the stage that the first execution is in.
    const { pipeline } = await emulator.call("GetPipeline", { name: "queue" });
    pipeline.stages[1].name = "Decide";
    await emulator.call("StopPipelineExecution", { pipelineName: "queue", pipelineExecutionId: second, abandon: true });
    await list.getByRole("button", { name: "Disable transition into Review" }).waitFor();
    await emulator.call("UpdatePipeline", { pipeline });
    await list.getByRole("button", { name: "Disable transition into Review" }).waitFor({ state: "detached" });
    await list.finish();
});

test("a start hides the default of a secret variable", async () => {
    const { emulator, browser } = world;
    const action = shell("Unit", "make", { configuration: { Command: "make", ApiToken: "#{variables.Token}" } });
    const variables = [{ name: "Token", defaultValue: "a-secret-default", description: "For the service" }];
    const stages = { Source: [source()], Review: [approval("Look")], Check: [action] };
    await createPipeline(emulator, "hidden", stages, { variables });
    const page = await open(browser, emulator.address("#/p/hidden"));
    await page.getByRole("button", { name: "Start execution" }).click();
    const dialog = page.getByRole("dialog");
    const field = dialog.getByLabel("Token");
    await dialog.getByText("its default is not shown").waitFor();
    assert.deepEqual([await field.inputValue(), await field.getAttribute("type")], ["", "password"]);
    await assertAccessible(page);
    await field.fill("another-secret");
    await dialog.getByRole("button", { name: "Start execution" }).click();
    await page.waitForURL(/#\/p\/hidden\/e\//);
    await page.locator(".values").getByText("****").waitFor();
    const id = await latestExecution(emulator, "hidden");
    const { pipelineExecution } = await emulator.call("GetPipelineExecution", { pipelineName: "hidden", pipelineExecutionId: id });
    assert.equal(pipelineExecution.variables[0].resolvedValue, "another-secret");
    assert.doesNotMatch(await page.content(), /another-secret|a-secret-default/);
    await page.finish();
});
