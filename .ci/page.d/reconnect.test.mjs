// The page reconnects to a restarted emulator, and disconnects while it is hidden.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { launch, open, shows } from "./browser.mjs";
import { Emulator, until } from "./emulator.mjs";
import { createPipeline, prepare, shell, source } from "./pipelines.mjs";

const LOST = /ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|Failed to load resource/;

test("a restart of the emulator is seen, shown and survived", async () => {
    const data = await mkdtemp(join(tmpdir(), "page-"));
    const browser = await launch();
    let emulator = await Emulator.start(["--data", data]);
    try {
        await prepare(emulator);
        const execution = await createPipeline(emulator, "kept", { Source: [source()], Check: [shell("Unit")] });
        const page = await open(browser, emulator.address(`#/p/kept/e/${execution}`), { expected: LOST });
        const connection = page.getByRole("status").filter({ hasText: /Live|Connect/ });
        await connection.getByText("Live").waitFor();
        await page.getByRole("heading", { name: "Unit" }).waitFor();
        const { port } = new URL(emulator.origin);
        for (const signal of ["SIGTERM", "SIGKILL"]) {
            await emulator.stop(signal);
            await connection.getByText("Connection lost, trying again").waitFor();
            await page.getByRole("heading", { name: "Unit" }).waitFor();
            emulator = await Emulator.start(["--data", data, "--port", port]);
            await connection.getByText("Live").waitFor();
            await page.locator(".head").getByText("Stopped").waitFor();
        }
        // The token is kept with the data, so the buttons still work.
        await page.getByRole("button", { name: "Start another execution" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Start execution" }).click();
        await page.waitForURL((url) => url.hash.includes("/e/") && !url.hash.includes(execution));
        await page.locator(".head").getByText("In progress").waitFor();
        await page.finish();
    } finally {
        await browser.close();
        await emulator.stop();
        await rm(data, { recursive: true, force: true });
    }
});

test("when EventSource gives up, the page tries again", async () => {
    const browser = await launch();
    const emulator = await Emulator.start();
    try {
        await prepare(emulator);
        const page = await open(browser, emulator.address("#/pipelines"), { expected: LOST });
        await shows(page, "There are no pipelines yet");
        let refusals = 0;
        await page.route("**/_/api/live*", async (route) => {
            refusals += 1;
            await route.fulfill({ status: 503, body: "not now" });
        });
        await page.getByRole("link", { name: "codepipeline-local" }).click();
        await page.goto(emulator.address("#/p/later"));
        await page.locator("#connection.lost").waitFor();
        await until("more than one try", () => refusals > 2);
        await page.unroute("**/_/api/live*");
        await createPipeline(emulator, "later", { Source: [source()], Check: [shell("Unit")] });
        await page.locator("#connection.open").waitFor();
        await page.getByRole("heading", { name: "later" }).waitFor();
        await page.finish();
    } finally {
        await browser.close();
        await emulator.stop();
    }
});

test("a hidden page has no connection", async () => {
    const browser = await launch();
    const emulator = await Emulator.start();
    try {
        await prepare(emulator);
        const page = await open(browser, emulator.address("#/pipelines"));
        await shows(page, "There are no pipelines yet");
        const show = (hidden) => page.evaluate((value) => {
            Object.defineProperty(document, "hidden", { value, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }, hidden);
        const ended = page.waitForEvent("requestfailed", (request) => request.url().includes("/api/live"));
        await show(true);
        await ended;
        await createPipeline(emulator, "unseen", { Source: [source()], Check: [shell("Unit")] });
        assert.equal(await page.getByRole("link", { name: "unseen" }).count(), 0);
        assert.ok(await page.locator("#connection.open").isVisible(), "a hidden page did not lose its connection");
        await show(false);
        await page.getByRole("link", { name: "unseen" }).waitFor();
        await page.finish();
    } finally {
        await browser.close();
        await emulator.stop();
    }
});
