// The views show the state of pipelines, and follow every change.

import assert from "node:assert/strict";
import { test } from "node:test";

import { open, shows } from "./browser.mjs";
import { fail, succeed, takeJob } from "./emulator.mjs";
import { SHELL, SECRET, approval, createPipeline, shell, source } from "./pipelines.mjs";
import { setup } from "./setup.mjs";

const world = setup();
const here = (page) => new URL(page.url()).hash;

test("pipelines appear in the list, and lead to their executions", async () => {
    const { emulator, browser } = world;
    const page = await open(browser, emulator.address());
    await shows(page, "There are no pipelines yet");
    await shows(page, emulator.origin);
    const execution = await createPipeline(emulator, "first", { Source: [source()], Check: [shell("Unit")] });
    await page.getByRole("link", { name: "first" }).click();
    assert.equal(here(page), "#/p/first");
    await shows(page, "New pipeline");
    assert.match(await page.title(), /In progress: first/);
    await succeed(emulator, await takeJob(emulator, SHELL), { summary: "fine" });
    await shows(page, "Succeeded");
    await page.waitForFunction(() => document.title.startsWith("Succeeded: first"));
    await page.getByRole("link", { name: execution.slice(0, 8) }).click();
    assert.equal(here(page), `#/p/first/e/${execution}`);
    await page.getByRole("heading", { name: "Unit" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "Executions" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Executions" }).waitFor();
    await page.finish();
});

test("an execution shows each change of its actions", async () => {
    const { emulator, browser } = world;
    const execution = await createPipeline(emulator, "live", {
        Source: [source()], Check: [shell("Unit"), shell("Lint"), shell("Report", "make report", { runOrder: 2 })],
    });
    const page = await open(browser, emulator.address(`#/p/live/e/${execution}`));
    const card = (name) => page.locator(".card", { has: page.getByRole("heading", { name }) });
    await card("Unit").getByText("In progress").waitFor();
    await card("Report").getByText("Not started").waitFor();
    const boxes = await Promise.all(["Unit", "Lint", "Report"].map((name) => card(name).boundingBox()));
    assert.equal(boxes[0].y, boxes[1].y, "parallel actions are next to each other");
    assert.ok(boxes[2].y > boxes[0].y, "a later run order is below");
    const jobs = [await takeJob(emulator, SHELL), await takeJob(emulator, SHELL)];
    const jobOf = (name) => jobs.find(({ data }) => data.pipelineContext.action.name === name);
    await succeed(emulator, jobOf("Unit"), { summary: "half of the tests ran", percentComplete: 50, externalExecutionId: "run-1" }, { continuationToken: "half" });
    await card("Unit").getByText("half of the tests ran").waitFor();
    assert.equal(await card("Unit").getByRole("progressbar").evaluate((bar) => bar.value), 50);
    const link = card("Unit").getByRole("link", { name: "Details" });
    assert.equal(await link.getAttribute("href"), "https://ci.example.com/runs/run-1");
    assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
    await fail(emulator, jobOf("Lint"), "2 warnings");
    await card("Lint").getByText("Failed").waitFor();
    await card("Lint").getByText("2 warnings").waitFor();
    await succeed(emulator, await takeJob(emulator, SHELL), { summary: "all tests ran" });
    await card("Unit").getByText("Succeeded").waitFor();
    await page.locator("#announcement").getByText("Stage Check: Failed.").waitFor();
    await page.waitForFunction(() => document.title.startsWith("Failed: live"));
    await card("Report").getByText("Did not run").waitFor();
    await page.finish();
});

test("an approval that waits is announced", async () => {
    const { emulator, browser } = world;
    const execution = await createPipeline(emulator, "decide", { Source: [source()], Check: [shell("Unit")], Review: [approval("Look")] });
    const page = await open(browser, emulator.address(`#/p/decide/e/${execution}`));
    await page.locator(".card", { hasText: "Unit" }).getByText("In progress").waitFor();
    await succeed(emulator, await takeJob(emulator, SHELL));
    await page.locator("#announcement").getByText("Approval Look: Waiting for approval.").waitFor();
    await emulator.call("StopPipelineExecution", { pipelineName: "decide", pipelineExecutionId: execution, abandon: true });
    await page.locator("#announcement").getByText("Approval Look: Abandoned.").waitFor();
    await page.finish();
});

test("a pipeline may have the name of an item", async () => {
    const { emulator, browser } = world;
    await createPipeline(emulator, "_emulator", { Source: [source()], Check: [shell("Unit")] });
    const page = await open(browser, emulator.address());
    await page.getByRole("link", { name: "_emulator" }).waitFor();
    await page.getByRole("button", { name: "Start _emulator" }).and(page.locator(":not([aria-disabled])")).waitFor();
    await page.finish();
    await succeed(emulator, await takeJob(emulator, SHELL));
});

test("an action shows its timeline, configuration and variables", async () => {
    const { emulator, browser } = world;
    const configuration = { Command: "make all", ApiToken: SECRET };
    const execution = await createPipeline(emulator, "steps", { Source: [source()], Check: [shell("Unit", "", { configuration, namespace: "unit" })] });
    const page = await open(browser, emulator.address(`#/p/steps/e/${execution}`));
    await page.getByRole("link", { name: "Unit" }).click();
    const panel = page.getByRole("complementary");
    await panel.getByText("Job queued").waitFor();
    const job = await takeJob(emulator, SHELL);
    await panel.getByText("Offered to a worker").waitFor();
    await panel.getByText("Acknowledged by a worker").waitFor();
    // Nothing changes while the worker works, and its time still grows.
    await panel.locator(".phases li", { hasText: /^Working \d+(\.\d)? (s|min)/ }).waitFor();
    await panel.locator(".phases li", { hasText: /^Working ([2-9]\.\d|\d\d) s/ }).waitFor();
    await succeed(emulator, job, undefined, { continuationToken: "again" });
    await panel.getByText("Worker asked to continue later").waitFor();
    await panel.getByText("Job 2", { exact: true }).waitFor();
    await succeed(emulator, await takeJob(emulator, SHELL), { summary: "done" }, { outputVariables: { Coverage: "81 %" } });
    await panel.getByText("Worker reported success").waitFor();
    await panel.getByText("Action succeeded").waitFor();
    await panel.getByRole("row", { name: "Coverage 81 %" }).waitFor();
    await panel.getByRole("row", { name: "Command make all" }).waitFor();
    await panel.getByRole("row", { name: "ApiToken ****" }).waitFor();
    const times = await panel.locator(".step time").evaluateAll((all) => all.map((time) => Date.parse(time.dateTime)));
    assert.deepEqual(times, [...times].sort((a, b) => a - b));
    await panel.getByRole("link", { name: "Close the action" }).click();
    await panel.waitFor({ state: "detached" });
    assert.equal(here(page), `#/p/steps/e/${execution}`);
    await page.finish();
});

test("what does not exist yet appears once it exists", async () => {
    const { emulator, browser } = world;
    const page = await open(browser, emulator.address("#/p/later"), { expected: /404/ });
    await page.getByRole("heading", { name: "Not found" }).waitFor();
    await createPipeline(emulator, "later", { Source: [source()], Check: [shell("Unit")] });
    await page.getByRole("heading", { name: "later" }).waitFor();
    await page.goto(emulator.address("#/no/such/view/here"));
    await shows(page, "This address names no view");
    await page.goto(emulator.address("#/p/later"));
    await page.getByRole("heading", { name: "later" }).waitFor();
    await succeed(emulator, await takeJob(emulator, SHELL));
    await page.finish();
});

test("updates keep focus, scroll position and an open artifact", async () => {
    const { emulator, browser } = world;
    const many = Array.from({ length: 12 }, (_, index) => shell(`Action-${index}`, "make", { runOrder: index + 1 }));
    const execution = await createPipeline(emulator, "still", { Source: [source()], Check: many });
    const page = await open(browser, emulator.address(`#/p/still/e/${execution}/a/Check/Action-0`));
    const panel = page.getByRole("complementary");
    await panel.locator("summary", { hasText: "App" }).click();
    await panel.getByRole("link", { name: "README.md" }).waitFor();
    const button = page.getByRole("button", { name: "Disable transition into Check" });
    await button.focus();
    await page.evaluate(() => scrollTo(0, 300));
    const before = await page.evaluate(() => ({ y: scrollY, focused: document.activeElement.getAttribute("aria-label") }));
    assert.ok(before.y > 0);
    for (let index = 0; index < 3; index += 1) await succeed(emulator, await takeJob(emulator, SHELL), { summary: `result ${index}` });
    await panel.getByText("result 0").first().waitFor();
    await shows(page, "result 2");
    assert.deepEqual(await page.evaluate(() => ({ y: scrollY, focused: document.activeElement.getAttribute("aria-label") })), before);
    assert.ok(await panel.getByRole("link", { name: "README.md" }).isVisible());
    await page.finish();
});
