// The views show the state of pipelines, and follow every change.

import assert from "node:assert/strict";
import { test } from "node:test";

import { open, shows } from "./browser.mjs";
import { fail, succeed, takeJob, until } from "./emulator.mjs";
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
    await page.setViewportSize({ width: 720, height: 900 });
    const arn = await page.locator(".trigger .quiet").evaluate(({ clientHeight }) => clientHeight);
    assert.ok(arn < 30, `the caller takes ${arn} pixels, which is more than a line`);
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
    await card("Source").getByText("Succeeded").waitFor();
    assert.equal(await card("Source").getByRole("link", { name: "Resource" }).count(), 0, "AWS's console does not know the bucket");
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

test("a long message of a failure opens and closes", async () => {
    const { emulator, browser } = world;
    const execution = await createPipeline(emulator, "verbose", { Source: [source()], Check: [shell("Unit")] });
    await fail(emulator, await takeJob(emulator, SHELL), Array.from({ length: 250 }, (_, index) => `line ${index}\n    ^~~`).join("\n"));
    const page = await open(browser, emulator.address(`#/p/verbose/e/${execution}`));
    const summary = page.locator(".about .fold-window");
    const lines = (text) => text.evaluate((each) => Math.round(each.clientHeight / Number.parseFloat(getComputedStyle(each).lineHeight)));
    await page.locator(".about").getByRole("button", { name: "Show all" }).waitFor();
    assert.equal(await lines(summary), 3);
    assert.match(await summary.innerText(), /line 0\n {4}\^~~/, "spaces stay");
    await page.getByRole("link", { name: "Unit" }).click();
    const error = page.getByRole("group", { name: "Error" });
    const button = error.getByRole("button");
    await error.getByText("Show all").click();
    assert.equal(await button.getAttribute("aria-expanded"), "true");
    assert.equal(await lines(error.locator(".fold-window")), 500);
    await error.getByText("Show less").click();
    assert.equal(await button.getAttribute("aria-expanded"), "false");
    assert.equal(await lines(error.locator(".fold-window")), 6);
    await page.finish();
});

test("a long timeline says which steps are missing, and folds its middle", async () => {
    const { emulator, browser } = world;
    const execution = await createPipeline(emulator, "rounds", { Source: [source()], Check: [shell("Unit")] });
    for (let round = 0; round < 80; round += 1) await succeed(emulator, await takeJob(emulator, SHELL), undefined, { continuationToken: `${round}` });
    await succeed(emulator, await takeJob(emulator, SHELL));
    const page = await open(browser, emulator.address(`#/p/rounds/e/${execution}/a/Check/Unit`));
    const panel = page.getByRole("complementary");
    const rows = panel.locator(".step:not(.lost)").filter({ visible: true });
    const gap = panel.locator(".step", { hasText: /^\d+ steps not kept/ });
    await gap.waitFor();
    assert.equal(await rows.count(), 36);
    await panel.getByRole("button", { name: "Show 264 more steps" }).click();
    assert.equal(await rows.count(), 300);
    assert.doesNotMatch(await gap.locator("+ .step").innerText(), /\+/, "the time of the missing steps is not that of the next step");
    await panel.locator(".phases li", { hasText: "Steps not kept" }).waitFor();
    await panel.getByRole("button", { name: "Show fewer steps" }).click();
    assert.equal(await rows.count(), 36);
    await page.finish();
});

test("after a day, times have their date and a waiting job names its type", async () => {
    const { emulator, browser } = world;
    const execution = await createPipeline(emulator, "patient", { Source: [source()], Check: [shell("Unit")] });
    const page = await open(browser, emulator.address(`#/p/patient/e/${execution}/a/Check/Unit`));
    const panel = page.getByRole("complementary");
    await panel.getByText("Job queued").waitFor();
    const started = panel.locator(".facts time").first();
    const today = await started.textContent();
    assert.equal(await panel.getByText("No worker has taken this job yet").count(), 0);
    await page.clock.setFixedTime(Date.now() + 26 * 60 * 60 * 1000);
    await panel.getByText("No worker has taken this job yet").getByText("Test/Custom/Shell/1").waitFor();
    await until("the date", async () => (await started.textContent()).endsWith(`, ${today}`));
    await page.finish();
    await succeed(emulator, await takeJob(emulator, SHELL));
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
