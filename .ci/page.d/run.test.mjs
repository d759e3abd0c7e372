// The page of `run`: only those who have its token read anything, and it says when the run has ended.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { assertAccessible, launch, open, shows } from "./browser.mjs";
import { Emulator } from "./emulator.mjs";
import { approval, source } from "./pipelines.mjs";

test("run needs the token for everything, and ends after an approval on the page", async () => {
    const folder = await mkdtemp(join(tmpdir(), "page-"));
    const pipeline = {
        name: "once", roleArn: "arn:aws:iam::123456789012:role/any", artifactStore: { type: "S3", location: "artifacts" }, version: 1,
        stages: [{ name: "Source", actions: [source()] }, { name: "Review", actions: [approval("Look")] }],
    };
    await writeFile(join(folder, "pipeline.json"), JSON.stringify({ pipeline }));
    await mkdir(join(folder, "app"));
    await writeFile(join(folder, "app", "index.html"), "<h1>Shop</h1>\n");
    const command = ["run", join(folder, "pipeline.json"), "--source", `Source=${join(folder, "app")}`];
    const [emulator, browser] = await Promise.all([Emulator.start([], command), launch()]);
    try {
        for (const path of ["view?view=pipelines", "live?view=pipelines", "artifact?action=x&side=input&name=App"]) {
            for (const token of ["", "&token=wrong"]) {
                const { status, body } = await emulator.raw(`/_/api/${path}${token}`);
                assert.equal(status, 403, path);
                assert.doesNotMatch(body, /once/);
            }
        }
        for (const token of ["", "wrong"]) {
            const stranger = await open(browser, emulator.address("", token), { expected: /403/ });
            await shows(stranger, "Open the address that codepipeline-local printed");
            await assertAccessible(stranger);
            await stranger.finish();
        }
        // The browser reads the icon again.
        const page = await open(browser, emulator.address(), { expected: /ERR_CONNECTION_REFUSED/ });
        await page.getByRole("link", { name: "once", exact: true }).click();
        await page.getByRole("table").getByRole("link").first().click();
        await page.getByRole("button", { name: "Review Look" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Submit" }).click();
        await page.getByRole("status").getByText("The run has ended").waitFor();
        await emulator.ended;
        assert.equal(emulator.process.exitCode, 0, emulator.output);
        // The last state stays, with no more requests for data, and with buttons that say why they are off.
        const requests = [];
        page.on("request", (request) => { if (request.url().includes("/api/")) requests.push(request.url()); });
        await page.locator(".head").getByText("Succeeded").waitFor();
        const start = page.getByRole("button", { name: "Start another execution" });
        assert.equal(await start.getAttribute("aria-disabled"), "true");
        await page.locator("#notice").getByText("the run has ended").waitFor();
        await page.getByRole("link", { name: "Look", exact: true }).click();
        await page.getByRole("complementary").getByText("AWS Manual").waitFor();
        assert.deepEqual(requests, []);
        await page.finish();
    } finally {
        await browser.close();
        await emulator.stop();
        await rm(folder, { recursive: true, force: true });
    }
});
