// Names, summaries, links and files of others are data: no script runs, no markup appears, and no secret is shown.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { open, shows } from "./browser.mjs";
import { fail, succeed, takeJob } from "./emulator.mjs";
import { SECRET, SHELL, approval, createPipeline, shell, source, zip } from "./pipelines.mjs";
import { setup } from "./setup.mjs";

const MARKUP = `<script>alert("x")</script><img src=x onerror=alert(1)><b>&amp;</b>`;
const world = setup();

async function assertHarmless(page) {
    const made = await page.evaluate(() => [...document.querySelectorAll("main script, main img, main b, dialog script, dialog img")].length);
    assert.equal(made, 0, "a text became elements");
}

test("a summary with markup is shown as text", async () => {
    const { emulator, browser } = world;
    const execution = await createPipeline(emulator, "markup", { Source: [source()], Check: [shell("Good", MARKUP), shell("Bad")] });
    for (let count = 0; count < 2; count += 1) {
        const job = await takeJob(emulator, SHELL);
        if (job.data.pipelineContext.action.name === "Bad") await fail(emulator, job, MARKUP);
        else await succeed(emulator, job, { summary: MARKUP, externalExecutionId: MARKUP }, { outputVariables: { Note: MARKUP } });
    }
    for (const fragment of ["", "/a/Check/Good", "/a/Check/Bad"]) {
        const page = await open(browser, emulator.address(`#/p/markup/e/${execution}${fragment}`));
        await shows(page, MARKUP);
        await assertHarmless(page);
        await page.finish();
    }
    const page = await open(browser, emulator.address("#/p/markup"));
    await shows(page, "Failed");
    await assertHarmless(page);
    await page.finish();
});

test("a summary shows its hidden characters", async () => {
    const { emulator, browser } = world;
    const execution = await createPipeline(emulator, "hidden", { Source: [source()], Check: [shell("Unit")] });
    await succeed(emulator, await takeJob(emulator, SHELL), { summary: "made safe\u202Etxt.exe" });
    for (const fragment of ["", "/a/Check/Unit"]) {
        const page = await open(browser, emulator.address(`#/p/hidden/e/${execution}${fragment}`));
        await shows(page, "made safe\\u202Etxt.exe");
        await page.finish();
    }
});

test("addresses that are no web addresses never become links", async () => {
    const { emulator, browser } = world;
    const hostile = approval("Look", MARKUP);
    hostile.configuration.ExternalEntityLink = "javascript:alert(1)";
    const execution = await createPipeline(emulator, "links", { Source: [source()], Review: [hostile] });
    const page = await open(browser, emulator.address(`#/p/links/e/${execution}/a/Review/Look`));
    await page.getByRole("complementary").getByText("javascript:alert(1)").first().waitFor();
    const schemes = await page.locator("a").evaluateAll((links) => [...new Set(links.map((link) => link.protocol))]);
    assert.ok(schemes.every((scheme) => ["http:", "https:"].includes(scheme)), schemes.join());
    await page.getByRole("complementary").getByRole("button", { name: "Review Look" }).click();
    await page.getByRole("dialog").getByText(MARKUP).waitFor();
    await assertHarmless(page);
    await page.finish();
});

test("variables with markup are shown as text", async () => {
    const { emulator, browser } = world;
    const variables = [{ name: "Text", defaultValue: MARKUP, description: MARKUP }];
    const execution = await createPipeline(emulator, "variables", { Source: [source()], Check: [shell("Unit")] }, { variables });
    const page = await open(browser, emulator.address(`#/p/variables/e/${execution}`));
    await shows(page, MARKUP);
    await page.getByRole("button", { name: "Start another execution" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(MARKUP).waitFor();
    assert.equal(await dialog.getByLabel("Text").inputValue(), MARKUP);
    await assertHarmless(page);
    await page.finish();
    await succeed(emulator, await takeJob(emulator, SHELL));
});

test("an artifact's files are listed as text and downloaded, not shown", async () => {
    const { emulator, browser } = world;
    const files = { [`a/${MARKUP.replaceAll("/", "-")}.html`]: "<script>alert(1)</script>", "page.html": "<script>alert(2)</script>", "a/b/deep.txt": "deep" };
    await emulator.s3("PUT", "/sources/source.zip", zip(files));
    const execution = await createPipeline(emulator, "files", { Source: [source()], Check: [shell("Unit")] });
    const page = await open(browser, emulator.address(`#/p/files/e/${execution}/a/Check/Unit`));
    const panel = page.getByRole("complementary");
    await panel.locator("summary", { hasText: "App" }).click();
    await shows(page, "3 files");
    await panel.locator("summary", { hasText: /^a$/ }).click();
    await panel.getByText(MARKUP.replaceAll("/", "-")).first().waitFor();
    await panel.locator("summary", { hasText: /^b$/ }).click();
    await panel.getByRole("link", { name: "deep.txt" }).waitFor();
    await assertHarmless(page);
    const download = async (name) => {
        const [file] = await Promise.all([page.waitForEvent("download"), panel.getByRole("link", { name }).click()]);
        return readFile(await file.path());
    };
    assert.equal(String(await download("page.html")), files["page.html"]);
    assert.equal(String(await download("deep.txt")), "deep");
    assert.deepEqual(await download(/^Download the zip/), zip(files));
    const href = await panel.getByRole("link", { name: "page.html" }).getAttribute("href");
    const { headers } = await emulator.raw(href.slice(emulator.origin.length));
    assert.equal(headers["content-type"], "application/octet-stream");
    assert.match(headers["content-disposition"], /^attachment/);
    await page.finish();
    await succeed(emulator, await takeJob(emulator, SHELL));
});

for (const [how, body, count] of [["broken", zip({ "a.txt": "text" }).subarray(0, 50), 0], ["empty", zip({}), 1]]) {
    test(`an archive that is ${how}`, async () => {
        const { emulator, browser } = world;
        await emulator.s3("PUT", "/sources/source.zip", body);
        const execution = await createPipeline(emulator, how, { Source: [source()], Check: [shell("Unit")] });
        const page = await open(browser, emulator.address(`#/p/${how}/e/${execution}/a/Check/Unit`));
        const panel = page.getByRole("complementary");
        await panel.locator("summary", { hasText: "App" }).click();
        await panel.getByRole("link", { name: "Download the zip archive" }).waitFor();
        assert.equal(await panel.getByRole("alert").getByText("The archive is broken: ").count(), 1 - count);
        assert.equal(await panel.getByText("The archive is empty.").count(), count);
        await page.finish();
        await succeed(emulator, await takeJob(emulator, SHELL));
    });
}

test("secrets are in no answer of the page", async () => {
    const { emulator, browser } = world;
    const configuration = { Command: "make", ApiToken: SECRET };
    const execution = await createPipeline(emulator, "secrets", { Source: [source()], Check: [shell("Unit", "", { configuration })] });
    const page = await open(browser, emulator.address(`#/p/secrets/e/${execution}/a/Check/Unit`));
    await page.getByRole("row", { name: "ApiToken ****" }).waitFor();
    assert.doesNotMatch(await page.content(), new RegExp(SECRET));
    await page.finish();
    const job = await takeJob(emulator, SHELL);
    assert.equal(job.data.actionConfiguration.configuration.ApiToken, SECRET, "the worker gets it");
    const action = job.data.pipelineContext.action.actionExecutionId;
    const queries = ["view=pipelines", "view=executions&pipeline=secrets", `view=execution&pipeline=secrets&execution=${execution}`, `view=action&action=${action}`];
    for (const query of queries) {
        const { status, body } = await emulator.raw(`/_/api/view?${query}&token=${emulator.token}`);
        assert.equal(status, 200, query);
        assert.ok(!body.includes(SECRET), query);
        const keys = job.data.artifactCredentials;
        for (const key of [keys.secretAccessKey, keys.sessionToken]) assert.ok(!body.includes(key), query);
    }
    await succeed(emulator, job);
});
