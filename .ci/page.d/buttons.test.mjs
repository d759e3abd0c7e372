// Every button calls CodePipeline, and shows CodePipeline's message if it refuses.

import assert from "node:assert/strict";
import { test } from "node:test";

import { open, shows } from "./browser.mjs";
import { fail, succeed, takeJob, until } from "./emulator.mjs";
import { SHELL, approval, createPipeline, executionStatus, latestExecution, shell, source } from "./pipelines.mjs";
import { setup } from "./setup.mjs";

const world = setup();
const button = (page, name) => page.getByRole("button", { name, exact: true });
const stages = { Source: [source()], Check: [shell("Unit")] };

/** Opens the dialog of a button, fills it in with `fill` and submits it. */
async function answer(page, name, submit, fill = async () => {}) {
    await button(page, name).click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await fill(dialog);
    await dialog.getByRole("button", { name: submit }).click();
    await dialog.waitFor({ state: "detached" });
}

test("Start asks for the pipeline's variables", async () => {
    const { emulator, browser } = world;
    const variables = [{ name: "Region", defaultValue: "north", description: "Where to deploy" }, { name: "Tag", defaultValue: "v1" }];
    await createPipeline(emulator, "start", stages, { variables });
    await succeed(emulator, await takeJob(emulator, SHELL));
    const page = await open(browser, emulator.address("#/p/start"));
    await button(page, "Start execution").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Where to deploy").waitFor();
    assert.equal(await dialog.getByLabel("Region").inputValue(), "north");
    await dialog.getByLabel("Region").fill("");
    const hint = await dialog.getByLabel("Region").getAttribute("aria-describedby");
    assert.match(await dialog.locator(`#${hint}`).textContent(), /Without a value, the default applies/);
    await dialog.getByLabel("Tag").fill("v2");
    await dialog.getByRole("button", { name: "Start execution" }).click();
    await page.waitForURL(/#\/p\/start\/e\//);
    const id = new URL(page.url()).hash.split("/")[4];
    const { pipelineExecution } = await emulator.call("GetPipelineExecution", { pipelineName: "start", pipelineExecutionId: id });
    const values = Object.fromEntries(pipelineExecution.variables.map(({ name, resolvedValue }) => [name, resolvedValue]));
    assert.deepEqual(values, { Region: "north", Tag: "v2" });
    await shows(page, "Started by a call");
    await succeed(emulator, await takeJob(emulator, SHELL));
    await page.finish();
});

test("an execution starts only after its variables were read", async () => {
    const { emulator, browser } = world;
    const execution = await createPipeline(emulator, "unread", stages, { variables: [{ name: "Tag", defaultValue: "v1" }] });
    await succeed(emulator, await takeJob(emulator, SHELL));
    const page = await open(browser, emulator.address("#/p/unread"), { expected: /status of 503/ });
    const dialog = page.getByRole("dialog");
    const submit = dialog.getByRole("button", { name: "Start execution" });
    let answer;
    await page.route("**/_/api/view*", async (route) => {
        await new Promise((resolve) => { answer = resolve; });
        await route.fulfill({ status: 503, json: { message: "not now" } });
    });
    await button(page, "Start execution").click();
    await dialog.getByText("Reading the pipeline's variables").waitFor();
    assert.equal(await submit.getAttribute("aria-disabled"), "true");
    await until("the read", () => answer);
    answer();
    await dialog.getByRole("alert").getByText("not now").waitFor();
    await submit.focus();
    await page.keyboard.press("Enter");
    assert.equal(await submit.getAttribute("aria-disabled"), "true");
    await page.unroute("**/_/api/view*");
    await dialog.getByRole("button", { name: "Try again" }).click();
    assert.equal(await dialog.getByLabel("Tag").inputValue(), "v1");
    await until("the first field has the focus", () => page.evaluate(() => document.activeElement.name === "Tag"));
    assert.equal(await latestExecution(emulator, "unread"), execution, "nothing started");
    await page.finish();
});

test("a refused start shows CodePipeline's message", async () => {
    const { emulator, browser } = world;
    await createPipeline(emulator, "refused", stages, { variables: [{ name: "Tag", defaultValue: "v1" }] });
    await succeed(emulator, await takeJob(emulator, SHELL));
    const page = await open(browser, emulator.address("#/pipelines"), { expected: /status of 400/ });
    await button(page, "Start refused").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Tag").fill("x".repeat(1001));
    await dialog.getByRole("button", { name: "Start execution" }).click();
    await dialog.getByRole("alert").getByText(/1000/).waitFor();
    assert.equal(await dialog.getByLabel("Tag").inputValue(), "x".repeat(1001), "the typed text stays");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.finish();
});

for (const [how, abandon] of [["Stop and wait", false], ["Stop and abandon", true]]) {
    test(`Stop, ${how}`, async () => {
        const { emulator, browser } = world;
        const name = abandon ? "abandon" : "wait";
        const execution = await createPipeline(emulator, name, { ...stages, Deploy: [shell("North")] });
        const page = await open(browser, emulator.address(`#/p/${name}/e/${execution}`));
        const job = await takeJob(emulator, SHELL);
        await answer(page, "Stop execution", "Stop execution", async (dialog) => {
            await dialog.getByLabel(how).check();
            await dialog.getByLabel("Reason").fill("wrong branch");
        });
        if (!abandon) {
            await page.locator(".head").getByText("Stopping").waitFor();
            await succeed(emulator, job, { summary: "finished anyway" });
        }
        await page.locator(".head").getByText("Stopped").waitFor();
        await shows(page, "wrong branch");
        assert.equal(await page.locator(".about").getByText("wrong branch").count(), 1);
        await shows(page, abandon ? "Abandoned" : "finished anyway");
        assert.equal(await executionStatus(emulator, name, execution), "Stopped");
        assert.equal(await button(page, "Stop execution").count(), 0);
        await page.finish();
    });
}

for (const [label, expected] of [["Failed actions", ["Broken"]], ["All actions", ["Broken", "Good"]]]) {
    test(`Retry, ${label}`, async () => {
        const { emulator, browser } = world;
        const name = expected.length === 1 ? "retry-failed" : "retry-all";
        const execution = await createPipeline(emulator, name, { Source: [source()], Check: [shell("Broken"), shell("Good")] });
        const page = await open(browser, emulator.address(`#/p/${name}/e/${execution}`));
        for (let count = 0; count < 2; count += 1) {
            const job = await takeJob(emulator, SHELL);
            if (job.data.pipelineContext.action.name === "Broken") await fail(emulator, job, "no luck");
            else await succeed(emulator, job);
        }
        await answer(page, "Retry stage Check", "Retry stage", (dialog) => dialog.getByLabel(label).check());
        const again = [];
        for (let count = 0; count < expected.length; count += 1) {
            const job = await takeJob(emulator, SHELL);
            again.push(job.data.pipelineContext.action.name);
            await succeed(emulator, job);
        }
        assert.deepEqual(again.sort(), expected);
        await shows(page, "Retried once");
        await page.locator(".head").getByText("Succeeded").waitFor();
        await page.getByRole("link", { name: "Broken" }).click();
        await page.getByRole("link", { name: "Attempt 1" }).click();
        await page.getByRole("complementary").getByText("no luck").first().waitFor();
        await page.getByRole("link", { name: "Attempt 2" }).click();
        await page.getByRole("complementary").getByText("no luck").first().waitFor({ state: "detached" });
        await page.finish();
    });
}

for (const [decision, status] of [["Approve", "Succeeded"], ["Reject", "Failed"]]) {
    test(`${decision} with a comment`, async () => {
        const { emulator, browser } = world;
        const name = decision.toLowerCase();
        const execution = await createPipeline(emulator, name, { Source: [source()], Review: [approval("Look")] });
        const page = await open(browser, emulator.address(`#/p/${name}/e/${execution}/a/Review/Look`));
        const panel = page.getByRole("complementary");
        await panel.getByText("Look at the test site before customers do.").first().waitFor();
        assert.equal(await panel.getByRole("link", { name: "What to review" }).getAttribute("href"), "https://test.example.com/");
        await panel.getByRole("button", { name: "Review Look" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel(decision).check();
        await dialog.getByLabel("Comment").fill(`I ${name} of it`);
        await dialog.getByRole("button", { name: "Submit" }).click();
        await dialog.waitFor({ state: "detached" });
        await page.locator(".head").getByText(status).waitFor();
        await panel.getByRole("group", { name: "Comment by root" }).getByText(`I ${name} of it`).waitFor();
        await page.locator(".card", { hasText: "Look" }).getByText(`Comment: I ${name} of it`).waitFor();
        assert.equal(await panel.getByRole("heading", { name: "Log" }).count(), 0, "an approval has no log");
        await page.getByRole("link", { name: "Close the action" }).click();
        assert.equal(await page.locator(".about").getByText(`I ${name} of it`).count(), status === "Failed" ? 1 : 0);
        assert.equal(await executionStatus(emulator, name, execution), status);
        await page.finish();
    });
}

test("transitions close with a reason, and open again", async () => {
    const { emulator, browser } = world;
    await createPipeline(emulator, "gate", stages);
    await succeed(emulator, await takeJob(emulator, SHELL));
    const first = await latestExecution(emulator, "gate");
    const page = await open(browser, emulator.address(`#/p/gate/e/${first}`), { expected: /status of 400/ });
    await button(page, "Disable transition into Check").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Disable transition" }).click();
    await dialog.getByRole("alert").getByText(/reason/i).waitFor();
    await dialog.getByLabel("Reason").fill("Bob's freeze, until 5:00");
    await dialog.getByRole("button", { name: "Disable transition" }).click();
    await dialog.getByRole("alert").getByText("CodePipeline does not allow ' , : in a reason").waitFor();
    await dialog.getByLabel("Reason").fill("release freeze");
    await dialog.getByRole("button", { name: "Disable transition" }).click();
    await dialog.waitFor({ state: "detached" });
    await shows(page, /release freeze/);
    await answer(page, "Start another execution", "Start execution");
    await page.waitForURL((url) => !url.hash.includes(first) && url.hash.includes("/e/"));
    await shows(page, "This execution waits here");
    await page.goto(emulator.address("#/pipelines"));
    await shows(page, "Waits before Check: the transition is disabled");
    await page.goto(emulator.address("#/p/gate"));
    await shows(page, "Waits before Check: the transition is disabled");
    await shows(page, /release freeze/);
    await answer(page, "Enable transition into Check", "Enable transition");
    const again = (dialog) => dialog.getByLabel("Reason").fill("release freeze");
    await answer(page, "Disable transition into Check", "Disable transition", again);
    await shows(page, /release freeze/);
    await answer(page, "Enable transition into Check", "Enable transition");
    await page.getByText(/release freeze/).waitFor({ state: "detached" });
    await succeed(emulator, await takeJob(emulator, SHELL));
    await until("both executions", async () => await page.getByText("Succeeded").count() === 2);
    await page.finish();
});

test("without the token, buttons are off and say why", async () => {
    const { emulator, browser } = world;
    const execution = await createPipeline(emulator, "tokenless", { ...stages, Review: [approval("Look")] });
    await succeed(emulator, await takeJob(emulator, SHELL));
    for (const token of ["", "wrong"]) {
        for (const fragment of ["#/pipelines", "#/p/tokenless", `#/p/tokenless/e/${execution}`, `#/p/tokenless/e/${execution}/a/Review/Look`]) {
            const page = await open(browser, emulator.address(fragment, token));
            await page.locator("#notice").getByText("Open the address that codepipeline-local printed").waitFor();
            const start = page.getByRole("button", { name: /^Start|^Stop|transition/ }).first();
            await start.waitFor();
            for (const each of await page.locator("main").getByRole("button").all()) {
                assert.equal(await each.getAttribute("aria-disabled"), "true", await each.textContent());
                assert.equal(await each.getAttribute("aria-describedby"), "notice");
            }
            await start.click({ force: true });
            assert.equal(await page.getByRole("dialog").count(), 0);
            await page.finish();
        }
    }
});
