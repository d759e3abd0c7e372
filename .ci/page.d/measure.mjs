// Measures two numbers and prints them: how long the page takes to list 1,000 executions, and what 50 parallel actions with live updates
// cost.

import { readFile } from "node:fs/promises";

import { launch, open } from "./browser.mjs";
import { Emulator, until } from "./emulator.mjs";
import { SHELL, createPipeline, executionStatus, latestExecution, prepare, shell, source } from "./pipelines.mjs";

const EXECUTIONS = 1000;
const ACTIONS = 50;
const REPORT_EVERY_MS = 10_000;
const SECONDS = 20;

const emulator = await Emulator.start(["--skip", "Skipped"]);
const browser = await launch();
try {
    await prepare(emulator);
    await listExecutions();
    await parallelActions();
} finally {
    await browser.close();
    await emulator.stop();
}

async function listExecutions() {
    await createPipeline(emulator, "often", { Source: [source()], Check: [shell("Skipped")] });
    for (let count = 1; count < EXECUTIONS; count += 1) await emulator.call("StartPipelineExecution", { name: "often" });
    const last = await latestExecution(emulator, "often");
    await until("the last execution", async () => await executionStatus(emulator, "often", last) === "Succeeded");
    const times = [];
    for (let round = 0; round < 5; round += 1) {
        const page = await open(browser, emulator.address("#/what"));
        await page.addInitScript((wanted) => {
            const look = () => {
                if (document.querySelectorAll(".executions .row:not(.header)").length < wanted) return requestAnimationFrame(look);
                // The frame after this one is on the screen.
                return requestAnimationFrame(() => requestAnimationFrame(() => { window.listed = performance.now(); }));
            };
            requestAnimationFrame(look);
        }, EXECUTIONS);
        await page.goto("about:blank");
        await page.goto(emulator.address("#/p/often"));
        times.push(await page.waitForFunction(() => window.listed).then((handle) => handle.jsonValue()));
        await page.context().close();
    }
    times.sort((a, b) => a - b);
    console.log(`${EXECUTIONS} executions: listed ${Math.round(times[2])} ms after the request for the page (median of ${times.length})`);
}

// Each action reports progress and continues, at even times.
async function parallelActions() {
    const actions = Array.from({ length: ACTIONS }, (_, index) => shell(`Action-${index + 1}`));
    const execution = await createPipeline(emulator, "wide", { Source: [source()], Check: actions });
    let working = true;
    let reports = 0;
    const jobs = [];
    const next = () => until("a job", async () => {
        const [job] = (await emulator.call("PollForJobs", { actionTypeId: SHELL, maxBatchSize: 1 })).jobs;
        if (job) await emulator.call("AcknowledgeJob", { jobId: job.id, nonce: job.nonce });
        return job;
    });
    while (jobs.length < ACTIONS) jobs.push(await next());
    const worker = (async () => {
        while (working) {
            const job = jobs.shift();
            reports += 1;
            await emulator.call("PutJobSuccessResult", {
                jobId: job.id, continuationToken: String(reports), executionDetails: { summary: `report ${reports}`, percentComplete: reports % 100 },
            });
            jobs.push(await next());
            await new Promise((resolve) => setTimeout(resolve, REPORT_EVERY_MS / ACTIONS));
        }
    })();
    const without = await shares(async () => 0);
    const page = await open(browser, emulator.address(`#/p/wide/e/${execution}`));
    await until("all actions", async () => await page.locator(".card").count() === ACTIONS + 1);
    const session = await browser.newBrowserCDPSession();
    const first = reports;
    const shown = await shares(async () => {
        const { processInfo } = await session.send("SystemInfo.getProcessInfo");
        return processInfo.filter(({ type }) => type === "renderer").reduce((sum, { cpuTime }) => sum + cpuTime, 0);
    });
    const perSecond = ((reports - first) / SECONDS).toFixed(1);
    working = false;
    await worker;
    await page.context().close();
    console.log(`${ACTIONS} parallel actions, ${perSecond} reports a second, over ${SECONDS} s, in percent of one core:`);
    console.log(`  emulator ${shown.emulator} (${without.emulator} while no page is open), page ${shown.page}`);
}

// The processor time of the emulator and of the page over some seconds, in percent of one core.
async function shares(pageSeconds) {
    const emulatorSeconds = async () => {
        const stat = (await readFile(`/proc/${emulator.process.pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
        // Fields 14 and 15, in ticks of 1/100 s.
        return (Number(stat[11]) + Number(stat[12])) / 100;
    };
    const before = [await emulatorSeconds(), await pageSeconds()];
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
    const after = [await emulatorSeconds(), await pageSeconds()];
    const [ofEmulator, ofPage] = after.map((seconds, index) => ((seconds - before[index]) / SECONDS * 100).toFixed(1));
    return { emulator: ofEmulator, page: ofPage };
}
