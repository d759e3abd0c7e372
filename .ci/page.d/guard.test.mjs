// Other web pages, other hosts and buckets get nothing of the page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { open } from "./browser.mjs";
import { latestExecution, createPipeline, executionStatus, shell, source } from "./pipelines.mjs";
import { setup } from "./setup.mjs";

const world = setup(async ({ emulator }) => {
    await createPipeline(emulator, "guarded", { Source: [source()], Check: [shell("Unit")] });
});

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const FILES = ["/_/", "/_/style.css", "/_/execution.css", "/_/icon.svg", "/_/main.js", "/_/live.js"];

test("every answer has the headers that keep others out", async () => {
    const { emulator } = world;
    for (const path of [...FILES, "/_/api/view?view=pipelines", "/_/no-such-file", "/_/api/no-such-request"]) {
        const { status, headers } = await emulator.raw(path);
        assert.equal(status, path.includes("no-such") ? 404 : 200, path);
        assert.equal(headers["content-security-policy"], POLICY, path);
        assert.equal(headers["x-content-type-options"], "nosniff", path);
        assert.equal(headers["referrer-policy"], "no-referrer", path);
        assert.equal(headers["cross-origin-resource-policy"], "same-origin", path);
        assert.equal(headers["cross-origin-opener-policy"], "same-origin", path);
        assert.equal(headers["cache-control"], "no-store", path);
        assert.equal(headers["access-control-allow-origin"], undefined, path);
    }
    assert.match((await emulator.raw("/_")).headers.location, /\/_\/$/);
});

test("the page's files name no other host", async () => {
    const { emulator } = world;
    const index = (await emulator.raw("/_/")).body;
    const seen = new Set();
    const queue = [...index.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, file]) => file);
    while (queue.length > 0) {
        const file = queue.pop();
        if (seen.has(file)) continue;
        seen.add(file);
        const { body } = await emulator.raw(`/_/${file}`);
        const hosts = [...body.matchAll(/https?:\/\/[^\s"'`)]+/g)].map(([url]) => url).filter((url) => !url.startsWith("http://www.w3.org/2000/svg"));
        assert.deepEqual(hosts, [], file);
        assert.doesNotMatch(body, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, file);
        for (const [, module] of body.matchAll(/from "\.\/([^"]+)"/g)) queue.push(module);
    }
    assert.ok(seen.size > 15, `found only ${[...seen]}`);
    assert.doesNotMatch(index, /<script(?![^>]*src=)|<style| style=| on[a-z]+=/);
});

test("another Host is refused, and a bucket's host is S3", async () => {
    const { emulator } = world;
    const { port } = new URL(emulator.origin);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "localhost", `[::1]:${port}`, `192.168.1.7:${port}`]) {
        assert.equal((await emulator.raw("/_/", { headers: { Host: host } })).status, 200, host);
    }
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "localhost.evil.example"]) {
        for (const path of ["/_/", "/_/main.js", "/_/api/view?view=pipelines", "/_/api/live?view=pipelines"]) {
            const { status, body } = await emulator.raw(path, { headers: { Host: host } });
            assert.equal(status, 403, `${host} ${path}`);
            assert.doesNotMatch(body, /guarded|<html/, host);
        }
    }
    for (const host of [`sources.localhost:${port}`, `sources.s3.localhost:${port}`]) {
        for (const path of ["/_/", "/_/api/view?view=pipelines"]) {
            const { headers, body } = await emulator.raw(path, { headers: { Host: host } });
            assert.match(headers["content-type"], /xml/, `${host} ${path}`);
            assert.doesNotMatch(body, /guarded|<html/);
        }
    }
});

test("a call needs the token, the page's Origin and JSON", async () => {
    const { emulator } = world;
    const id = await latestExecution(emulator, "guarded");
    const good = { Origin: emulator.origin, "Content-Type": "application/json" };
    const post = (token, headers, method = "POST") => emulator.raw(`/_/api/call/StartPipelineExecution?token=${token}`, {
        method, headers: Object.fromEntries(Object.entries({ ...good, ...headers }).filter(([, value]) => value)), body: method === "GET" ? undefined : '{"name":"guarded"}',
    });
    const refusals = {
        "no token": () => post("", {}),
        "a wrong token": () => post("0".repeat(emulator.token.length), {}),
        "the beginning of the token": () => post(emulator.token.slice(0, -1), {}),
        "no Origin": () => post(emulator.token, { Origin: undefined }),
        "another Origin": () => post(emulator.token, { Origin: "http://evil.example" }),
        "another port": () => post(emulator.token, { Origin: "http://127.0.0.1:1" }),
        "a bucket's Origin": () => post(emulator.token, { Origin: emulator.origin.replace("127.0.0.1", "sources.localhost") }),
        "the null Origin": () => post(emulator.token, { Origin: "null" }),
        "a form": () => post(emulator.token, { "Content-Type": "application/x-www-form-urlencoded" }),
        "plain text": () => post(emulator.token, { "Content-Type": "text/plain" }),
        "no Content-Type": () => post(emulator.token, { "Content-Type": undefined }),
        "a GET": () => post(emulator.token, {}, "GET"),
        "another operation": () => emulator.raw(`/_/api/call/DeletePipeline?token=${emulator.token}`, { method: "POST", headers: good, body: '{"name":"guarded"}' }),
    };
    for (const [what, send] of Object.entries(refusals)) {
        const { status } = await send();
        assert.ok(status >= 400 && status < 500, `${what}: ${status}`);
        assert.equal(await latestExecution(emulator, "guarded"), id, what);
    }
    assert.equal((await post(emulator.token, {})).status, 200);
    assert.notEqual(await latestExecution(emulator, "guarded"), id);
});

test("another web page can neither read nor call", async () => {
    const { emulator, browser } = world;
    const id = await latestExecution(emulator, "guarded");
    const { port } = new URL(emulator.origin);
    // The same emulator under another name is another origin for the browser.
    const page = await open(browser, `http://localhost:${port}/_/`, { expected: /./ });
    const outcome = await page.evaluate(async (address) => {
        const attempt = async (options) => fetch(address, options).then(({ type }) => type, () => "failed");
        return {
            read: await attempt({}), blind: await attempt({ mode: "no-cors", method: "POST", body: "{}" }),
        };
    }, `${emulator.origin}/_/api/call/StartPipelineExecution?token=${emulator.token}`);
    assert.deepEqual(outcome, { read: "failed", blind: "failed" });
    assert.equal(await latestExecution(emulator, "guarded"), id);
    assert.equal(await executionStatus(emulator, "guarded", id), "InProgress");
    await page.context().close();
});
