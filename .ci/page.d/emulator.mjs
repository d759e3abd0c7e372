// codepipeline-local as a process, and calls of its APIs.

import { spawn } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import http from "node:http";

const PATIENCE_MS = 60_000;

/** Waits until `condition` returns something true, and returns that. */
export async function until(what, condition) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
        const found = await condition();
        if (found) return found;
        if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

export class Emulator {
    /** Starts an emulator with flags, on a free port unless the flags name one, and waits for the address of its page. */
    static async start(flags = [], command = ["serve", "--source-poll", "never", "--continuation-delay", "0s"], environment = {}) {
        const emulator = new Emulator();
        const port = command[0] === "serve" && !flags.includes("--port") ? ["--port", "0"] : [];
        emulator.output = "";
        emulator.process = spawn(process.env.PAGE_EMULATOR ?? "target/debug/codepipeline-local", [...command, ...port, ...flags], {
            stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment },
        });
        const collect = (data) => { emulator.output += data; };
        emulator.process.stdout.on("data", collect);
        emulator.process.stderr.on("data", collect);
        emulator.ended = new Promise((resolve) => emulator.process.on("close", resolve));
        await until("the address of the page", () => {
            if (emulator.process.exitCode !== null) throw new Error(`the emulator ended:\n${emulator.output}`);
            const found = /page: (http:\S+)/.exec(emulator.output);
            if (found) emulator.page = new URL(found[1]);
            return found;
        }).catch((error) => {
            emulator.process.kill("SIGKILL");
            throw error;
        });
        emulator.origin = emulator.page.origin;
        emulator.token = emulator.page.searchParams.get("token");
        return emulator;
    }

    /** The address of a view, with the token unless it is "". */
    address(fragment = "", token = this.token) {
        return `${this.origin}/_/${token ? `?token=${token}` : ""}${fragment}`;
    }

    /** Calls an operation of CodePipeline and returns its reply. */
    async call(operation, input) {
        const answer = await fetch(this.origin, {
            method: "POST", body: JSON.stringify(input),
            headers: { "X-Amz-Target": `CodePipeline_20150709.${operation}`, "Content-Type": "application/x-amz-json-1.1" },
        });
        const body = await answer.text();
        if (!answer.ok) throw new Error(`${operation}: ${body}`);
        return body && JSON.parse(body);
    }

    /** Calls S3, signed by any key. */
    async s3(method, path, body = "", headers = {}) {
        const answer = await fetch(this.origin + path, { method, body: body || undefined, headers: signed(method, this.origin, path, body, headers) });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
        return text;
    }

    /** Sends a request with exactly these headers, also a Host of its own, and returns status, headers and body. */
    async raw(path, { method = "GET", headers = {}, body } = {}) {
        const { hostname, port } = new URL(this.origin);
        return new Promise((resolve, reject) => {
            const request = http.request({ hostname, port, path, method, headers, agent: false }, (answer) => {
                let text = "";
                answer.on("data", (data) => { text += data; });
                answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: text }));
            });
            request.on("error", reject);
            request.end(body);
        });
    }

    async stop(signal = "SIGTERM") {
        if (this.process.exitCode === null) this.process.kill(signal);
        await this.ended;
    }
}

/** A job of the type, as soon as a poll returns one; acknowledged. */
export async function takeJob(emulator, type) {
    const job = await until(`a job of ${type.provider}`, async () => (await emulator.call("PollForJobs", { actionTypeId: type, maxBatchSize: 1 })).jobs[0]);
    await emulator.call("AcknowledgeJob", { jobId: job.id, nonce: job.nonce });
    return job;
}

export async function succeed(emulator, job, executionDetails, more = {}) {
    await emulator.call("PutJobSuccessResult", { jobId: job.id, executionDetails, ...more });
}

export async function fail(emulator, job, message) {
    await emulator.call("PutJobFailureResult", { jobId: job.id, failureDetails: { type: "JobFailed", message } });
}

// Signature Version 4 for S3.
function signed(method, origin, path, body, more) {
    const hash = (data) => createHash("sha256").update(data).digest("hex");
    const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const headers = { ...more, host: new URL(origin).host, "x-amz-content-sha256": hash(body), "x-amz-date": time };
    const names = Object.keys(headers).sort();
    const [bare, query = ""] = path.split("?");
    const canonical = [
        method, bare, query && !query.includes("=") ? `${query}=` : query,
        ...names.map((name) => `${name}:${headers[name]}`), "", names.join(";"), headers["x-amz-content-sha256"],
    ].join("\n");
    const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
    const key = ["us-east-1", "s3", "aws4_request"].reduce(hmac, hmac("AWS4test", time.slice(0, 8)));
    const signature = hmac(key, ["AWS4-HMAC-SHA256", time, scope, hash(canonical)].join("\n")).toString("hex");
    return { ...headers, authorization: `AWS4-HMAC-SHA256 Credential=test/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}` };
}
