// The log of an action follows its end, stays where the user scrolled to, and is the same after a reconnection.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { launch, open } from "./browser.mjs";
import { Emulator } from "./emulator.mjs";
import { createPipeline, prepare, source } from "./pipelines.mjs";

const DEPLOY = { category: "Deploy", owner: "AWS", provider: "CodeDeploy", version: "1" };
const SECRET = "a-secret-of-the-log";
const deploy = (name) => ({
    name, actionTypeId: DEPLOY, configuration: { ApplicationName: "shop", DeploymentGroupName: "all" }, inputArtifacts: [{ name: "App" }],
});

test("the log of a stand-in", async () => {
    const folder = await mkdtemp(join(tmpdir(), "page-"));
    const wait = (file) => `until [ -e ${join(folder, file)} ]; do sleep 0.05; done`;
    const script = `seq -f 'line %g' 200; echo "<img src=x onerror=alert(1)> $CONFIG_APPLICATIONNAME ${SECRET}"; ${wait("one")}; seq -f 'more %g' 50; ${wait("two")}; echo the end`;
    const flags = ["--provider", `Deploy/AWS/CodeDeploy/1=${script}`, "--skip", "Notify", "--secret", "key=PAGE_SECRET"];
    const [emulator, browser] = await Promise.all([Emulator.start(flags, undefined, { PAGE_SECRET: SECRET }), launch()]);
    try {
        await prepare(emulator);
        const execution = await createPipeline(emulator, "logged", { Source: [source()], Deploy: [deploy("Shop"), deploy("Notify")] });
        const page = await open(browser, emulator.address(`#/p/logged/e/${execution}/a/Deploy/Shop`));
        const log = page.getByRole("log");
        const lines = () => log.locator(".text").allTextContents();
        const shown = (text) => log.getByText(text, { exact: true }).waitFor();
        const fromEnd = () => log.evaluate((box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight));
        await shown("line 200");
        await log.getByText("<img src=x onerror=alert(1)> shop ***").waitFor();
        assert.equal(await page.locator("main img").count(), 0);
        assert.ok(await fromEnd() < 5, "the log shows its end");
        await page.locator(".card", { hasText: "Notify" }).getByText("Skipped").waitFor();
        await page.getByRole("complementary").getByText("Stand-in", { exact: true }).waitFor();

        // Read back, and select a line.
        await log.evaluate((box) => { box.scrollTop = 100; });
        await page.getByRole("button", { name: "Go to the end" }).waitFor();
        await log.getByText("line 10", { exact: true }).selectText();
        await writeFile(join(folder, "one"), "");
        await shown("more 50");
        assert.equal(await log.evaluate((box) => box.scrollTop), 100, "new lines do not move the log");
        assert.equal(await page.evaluate(() => String(getSelection()).trim()), "line 10");
        await page.getByRole("button", { name: "Go to the end" }).click();
        assert.ok(await fromEnd() < 5);

        // After a reconnection all lines come again; none is shown twice.
        const hide = (hidden) => page.evaluate((value) => {
            Object.defineProperty(document, "hidden", { value, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }, hidden);
        await hide(true);
        await writeFile(join(folder, "two"), "");
        await hide(false);
        await shown("the end");
        assert.ok(await fromEnd() < 5, "the log follows its end again");
        const all = await lines();
        assert.equal(all.filter((text) => text.startsWith("line ")).length, 200);
        assert.equal(new Set(all).size, all.length);
        await page.getByRole("complementary").getByText("Action succeeded").waitFor();
        await page.finish();
    } finally {
        await browser.close();
        await emulator.stop();
        await rm(folder, { recursive: true, force: true });
    }
});
