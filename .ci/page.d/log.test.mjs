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

test("a long log keeps its newest rows, and shows where lines are missing", async () => {
    const [emulator, browser] = await Promise.all([Emulator.start(), launch()]);
    try {
        const page = await open(browser, emulator.address());
        const found = await page.evaluate(async () => {
            const { Log } = await import("/_/log.js");
            const { show } = await import("/_/element.js");
            const log = new Log();
            const place = document.createElement("div");
            document.body.append(place);
            show(place, log.view());
            await Promise.resolve();
            const lines = (first, last) => ({ first, lines: Array.from({ length: last - first + 1 }, (_, index) => ({ at: 0, text: `line ${first + index}` })) });
            const state = () => ({
                note: log.note.hidden ? "" : log.note.textContent, rows: log.box.childElementCount,
                gaps: [...log.box.querySelectorAll(".gap")].map((gap) => [gap.previousSibling, gap, gap.nextSibling].map((row) => (row.querySelector(".text") ?? row).textContent)),
                first: log.box.firstChild.querySelector(".text")?.textContent, last: log.box.lastChild.querySelector(".text").textContent,
            });
            const states = [];
            const take = (first, last) => { log.receive(lines(first, last), 1); states.push(state()); };
            take(1, 100);
            take(151, 200);
            take(201, 5049);
            // The user reads line 190 while the oldest rows go.
            const row = [...log.box.children].find((each) => each.textContent.endsWith("line 190"));
            log.following = false;
            log.box.scrollTop = row.offsetTop - log.box.offsetTop;
            const top = () => row.getBoundingClientRect().top - log.box.getBoundingClientRect().top;
            const before = top();
            take(5050, 5100);
            const moved = top() - before;
            take(5101, 5200);
            place.remove();
            return { states, moved };
        });
        assert.deepEqual(found.states, [
            { note: "", rows: 100, gaps: [], first: "line 1", last: "line 100" },
            { note: "", rows: 151, gaps: [["line 100", "50 lines not kept", "line 151"]], first: "line 1", last: "line 200" },
            { note: "", rows: 5000, gaps: [["line 100", "50 lines not kept", "line 151"]], first: "line 1", last: "line 5049" },
            { note: "51 earlier lines not kept", rows: 5000, gaps: [["line 100", "50 lines not kept", "line 151"]], first: "line 52", last: "line 5100" },
            { note: "200 earlier lines not kept", rows: 5000, gaps: [], first: "line 201", last: "line 5200" },
        ]);
        assert.ok(Math.abs(found.moved) < 2, `the line that the user reads moved by ${found.moved} pixels`);
        await page.finish();
    } finally {
        await browser.close();
        await emulator.stop();
    }
});

test("a log whose lines were all dropped says how many", async () => {
    const [emulator, browser] = await Promise.all([Emulator.start(), launch()]);
    try {
        const page = await open(browser, emulator.address());
        const states = await page.evaluate(async () => {
            const { Log } = await import("/_/log.js");
            const log = new Log();
            const take = (event, connection) => {
                log.receive(event, connection);
                return { note: log.note.hidden ? "" : log.note.textContent, box: log.box.hidden ? "" : log.box.textContent };
            };
            const line = (text) => ({ at: 0, text });
            log.view();
            return [
                log.note.textContent.startsWith("No lines yet"),
                log.view(true) && log.note.textContent,
                take({ first: 6, lines: [] }, 1),
                take({ first: 6, lines: [] }, 2),
                take({ first: 6, lines: [line("six")] }, 2).box.endsWith("six"),
                take({ first: 9, lines: [] }, 2).box.endsWith("six2 lines not kept"),
                take({ first: 1, lines: [line("of another emulator")] }, 3).note,
            ];
        });
        const none = { note: "5 earlier lines not kept", box: "" };
        assert.deepEqual(states, [true, "No lines", none, none, true, true, ""]);
        await page.finish();
    } finally {
        await browser.close();
        await emulator.stop();
    }
});

test("log lines show no colours, hidden characters or JSON", async () => {
    const [emulator, browser] = await Promise.all([Emulator.start(), launch()]);
    try {
        const page = await open(browser, emulator.address());
        const shown = (text) => page.evaluate(async (line) => {
            const { Log } = await import("/_/log.js");
            const log = new Log();
            log.receive({ first: 1, lines: [{ at: 0, from: "worker", text: line }] }, 1);
            return log.box.querySelector(".text").textContent;
        }, text);
        const lines = {
            "\u001b[1;31merror\u001b[0m: no\u001b[K\ttab\r": "error: no\ttab",
            "1 %\r2 %\u0007 \u001b]0;title": "1 %\\u000D2 %\\u0007 \\u001B]0;title",
            "safe\u202Etxt.exe\u2066": "safe\\u202Etxt.exe\\u2066",
            '{"timestamp":"2026-01-02T03:04:05Z","level":"INFO","message":"took a job","jobId":"7","count":2,"note":"a b","deep":{"x":[1]}}':
                'INFO took a job count=2 note="a b" deep={"x":[1]}',
            '{"timestamp":"t","level":"ERROR","message":{"a":"\\u001b[31mred"}}': 'ERROR {"a":"\\u001b[31mred"}',
            // The page shows the action, its ids and its type already. Without a job, a name may mean something else.
            '{"timestamp":"t","level":"INFO","message":"m","target":"t","stream":"stdout","name":"job","action":"A","actionType":"T","requestId":"r","jobId":"7"}': "INFO m",
            '{"timestamp":"t","level":"INFO","message":"m","action":"buy","stream":"stdout","requestId":"r"}': "INFO m action=buy stream=stdout",
            '{"timestamp":"t","level":"INFO","message":"metrics of a job","_aws":{"CloudWatchMetrics":[{"Metrics":[{"Name":"N"},{"Name":"M"}]}]},"N":1,"M":2,"X":"y"}':
                "INFO metrics of a job N=1 M=2",
            '{"_aws":{"CloudWatchMetrics":[{"Metrics":[{"Name":"N"}]}]},"N":1,"service":"s","level":{"a":1}}': "metrics N=1",
            '{"_aws":{"CloudWatchMetrics":[null,{"Metrics":"x"}]},"message":7}': "7",
        };
        for (const [line, expected] of Object.entries(lines)) assert.equal(await shown(line), expected);
        const kept = [
            '{"level":"INFO","message":"no time"}', '{"timestamp":"t","level":"INFO","message":"m","a b":1}', '{"timestamp":"t","level":"INFO"',
            '{"timestamp":"t","level":"INFO","message":"m","n":12345678901234567890}', '{"type":"platform.start"}', '[1]',
        ];
        for (const line of kept) assert.equal(await shown(line), line);
        const raw = '{"timestamp":"t","level":"INFO","message":"m","jobId":"7"}';
        const switched = await page.evaluate(async (line) => {
            const { Log } = await import("/_/log.js");
            const log = new Log();
            log.receive({ first: 1, lines: [{ at: 0, text: "plain" }] }, 1);
            const texts = [log.raw.hidden];
            log.receive({ first: 2, lines: [{ at: 0, text: line }] }, 1);
            texts.push(log.raw.hidden);
            for (let count = 0; count < 2; count += 1) {
                log.raw.click();
                texts.push(log.raw.getAttribute("aria-pressed"), log.box.lastChild.querySelector(".text").textContent);
            }
            return texts;
        }, raw);
        assert.deepEqual(switched, [true, false, "true", raw, "false", "INFO m"]);
        await page.finish();
    } finally {
        await browser.close();
        await emulator.stop();
    }
});
