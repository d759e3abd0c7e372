// Every view in light, dark and on a phone: no finding of axe-core, and nothing wider than the screen.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { assertAccessible, open } from "./browser.mjs";
import { fail, succeed, takeJob, until } from "./emulator.mjs";
import { SHELL, approval, createPipeline, executionStatus, shell, source } from "./pipelines.mjs";
import { setup } from "./setup.mjs";

// A name with no place to break.
const LONG = "A".repeat(100);
const executions = {};

const world = setup(async ({ emulator }) => {
    const broken = await createPipeline(emulator, LONG, { Source: [source()], [LONG]: [shell(LONG, "x".repeat(300))] });
    // Enough rounds and lines for buttons that show more of them.
    for (let round = 0; round < 14; round += 1) await succeed(emulator, await takeJob(emulator, SHELL), undefined, { continuationToken: `${round}` });
    await fail(emulator, await takeJob(emulator, SHELL), `could not compile ${"y".repeat(400)}${"\n    ^~~".repeat(100)}`);
    const shop = await createPipeline(emulator, "shop", {
        Source: [source()], Build: [shell("Unit"), shell("Lint"), shell("Package", "make dist", { runOrder: 2, outputArtifacts: [{ name: "Dist" }] })],
        Review: [approval("Look")], Deploy: [shell("Europe"), shell("America")],
    }, { variables: [{ name: "Environment", defaultValue: "test", description: "Where to deploy" }] });
    for (let count = 0; count < 3; count += 1) {
        await succeed(emulator, await takeJob(emulator, SHELL), { summary: "built", externalExecutionId: "build-1" }, { outputVariables: { Size: "12" } });
    }
    await emulator.call("DisableStageTransition", { pipelineName: "shop", stageName: "Deploy", transitionType: "Inbound", reason: "Release freeze" });
    const working = await createPipeline(emulator, "working", { Source: [source()], Build: [shell("Unit")] });
    await succeed(emulator, await takeJob(emulator, SHELL), { summary: "half done", percentComplete: 50 }, { continuationToken: "half" });
    Object.assign(executions, { broken, shop, working });
    await until("the failure", async () => await executionStatus(emulator, LONG, broken) === "Failed");
});

const press = (name) => async (page) => {
    await page.locator("main").getByRole("button", { name }).first().click();
    await page.getByRole("dialog").waitFor();
};

// The fragment of each view, what it must show, and what to do first.
const views = () => ({
    "the list of pipelines": ["#/pipelines", "shop"],
    "the list without the token": ["#/pipelines", "shop", undefined, ""],
    "executions": ["#/p/shop", "Release freeze"],
    "an execution that waits for approval": [`#/p/shop/e/${executions.shop}`, "Waiting for approval"],
    "an execution in progress": [`#/p/working/e/${executions.working}`, "half done"],
    "a failed execution with long names": [`#/p/${LONG}/e/${executions.broken}`, /could not compile/],
    "an action in progress": [`#/p/working/e/${executions.working}/a/Build/Unit`, "50 %"],
    "an action with outputs": [`#/p/shop/e/${executions.shop}/a/Build/Package`, "Output artifacts"],
    "an open artifact": [`#/p/shop/e/${executions.shop}/a/Build/Unit`, "Input artifacts", async (page) => {
        await page.locator("summary", { hasText: "App" }).click();
        await page.getByRole("link", { name: "README.md" }).waitFor();
    }],
    "an open approval": [`#/p/shop/e/${executions.shop}/a/Review/Look`, "What to review"],
    "a failed action with long names": [`#/p/${LONG}/e/${executions.broken}/a/${LONG}/${LONG}`, /could not compile/],
    "an action that has not started": [`#/p/shop/e/${executions.shop}/a/Deploy/Europe`, "This action has not started yet"],
    "an unknown address": ["#/what", "This address names no view"],
    "the dialog to start": ["#/p/shop", "Executions", press("Start execution")],
    "the dialog to stop": [`#/p/shop/e/${executions.shop}`, "Review", press("Stop execution")],
    "the dialog to retry": [`#/p/${LONG}/e/${executions.broken}`, "Failed", press(/^Retry/)],
    "the dialog to review": [`#/p/shop/e/${executions.shop}`, "Waiting for approval", press("Review Look")],
    "the dialog to disable a transition": [`#/p/working/e/${executions.working}`, "Build", press(/^Disable/)],
    "the dialog to enable a transition": ["#/p/shop", "Release freeze", press(/^Enable/)],
});

const looks = {
    light: { colorScheme: "light" },
    dark: { colorScheme: "dark" },
    "light on a phone": { colorScheme: "light", viewport: { width: 360, height: 740 } },
    "dark on a phone": { colorScheme: "dark", viewport: { width: 360, height: 740 } },
};

for (const [look, options] of Object.entries(looks)) {
    test(`every view, ${look}`, async (each) => {
        for (const [name, [fragment, text, act, token]] of Object.entries(views())) {
            await each.test(name, async () => {
                const { emulator, browser } = world;
                const page = await open(browser, emulator.address(fragment, token), { reducedMotion: "reduce", ...options });
                try {
                    await page.locator("main").getByText(text).filter({ visible: true }).first().waitFor();
                    await act?.(page);
                    const { overflow, background } = await page.evaluate(() => ({
                        overflow: document.documentElement.scrollWidth - innerWidth,
                        background: getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number),
                    }));
                    assert.ok(overflow <= 0, `the page is ${overflow} pixels wider than the screen`);
                    assert.equal(Math.max(...background) < 64, options.colorScheme === "dark", `background ${background}`);
                    await assertAccessible(page);
                } finally {
                    await page.finish();
                }
            });
        }
    });
}

test("without motion, nothing turns", async () => {
    const { emulator, browser } = world;
    for (const reducedMotion of ["reduce", "no-preference"]) {
        const page = await open(browser, emulator.address(`#/p/working/e/${executions.working}`), { reducedMotion });
        await page.locator(".icon.running").first().waitFor();
        const moving = await page.evaluate(() => document.getAnimations().length > 0);
        assert.equal(moving, reducedMotion === "no-preference");
        await page.finish();
    }
});

after(() => {
    for (const [name, id] of Object.entries(executions)) assert.ok(id, name);
});
