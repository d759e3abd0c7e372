// Makes the two screenshots of the README: an execution in light colours, and an action with its timeline and log in dark ones.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { launch, open } from "./browser.mjs";
import { Emulator } from "./emulator.mjs";
import { approval, createPipeline, prepare, shell, source } from "./pipelines.mjs";

const folder = process.argv[2];
const size = { viewport: { width: 1280, height: 960 }, deviceScaleFactor: 1.5, reducedMotion: "reduce" };
await mkdir(folder, { recursive: true });
const emulator = await Emulator.start(["--worker", `'${process.execPath}' .ci/page.d/worker.mjs`]);
const browser = await launch();
try {
    await prepare(emulator);
    const execution = await createPipeline(emulator, "shop", {
        Source: [source()],
        Build: [shell("Lint", "make lint"), shell("Unit-tests", "make test"), shell("Package", "make dist", { runOrder: 2, outputArtifacts: [{ name: "Dist" }] })],
        Review: [approval("Look")],
        Deploy: [shell("Europe", "make deploy"), shell("America", "make deploy")],
    }, { variables: [{ name: "Environment", defaultValue: "test" }, { name: "Release", defaultValue: "1.8.0" }] });
    await emulator.call("DisableStageTransition", { pipelineName: "shop", stageName: "Review", transitionType: "Inbound", reason: "No releases before Monday" });
    const here = `#/p/shop/e/${execution}`;
    const action = await open(browser, emulator.address(`${here}/a/Build/Unit-tests`), { ...size, colorScheme: "dark" });
    await action.getByRole("log").getByText("ok 36").waitFor();
    await action.screenshot({ path: join(folder, "action-dark.png") });
    await action.finish();
    const page = await open(browser, emulator.address(here), { ...size, colorScheme: "light" });
    await page.getByText("24 of 36 tests passed").waitFor();
    await page.screenshot({ path: join(folder, "execution-light.png") });
    await page.finish();
} finally {
    await browser.close();
    await emulator.stop();
}
