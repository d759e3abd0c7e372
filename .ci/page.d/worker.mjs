// A worker for the screenshots. It runs the tests of a shop in three jobs, and then waits.

const endpoint = process.env.AWS_ENDPOINT_URL;

async function call(operation, input) {
    const answer = await fetch(endpoint, {
        method: "POST", body: JSON.stringify(input),
        headers: { "X-Amz-Target": `CodePipeline_20150709.${operation}`, "Content-Type": "application/x-amz-json-1.1" },
    });
    const body = await answer.text();
    if (!answer.ok) throw new Error(body);
    return body && JSON.parse(body);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const actionTypeId = { category: "Test", owner: "Custom", provider: "Shell", version: "1" };

async function work({ id, nonce, data }) {
    await pause(200);
    await call("AcknowledgeJob", { jobId: id, nonce });
    const { name } = data.pipelineContext.action;
    if (name !== "Unit-tests") {
        await call("PutJobSuccessResult", { jobId: id, executionDetails: { summary: "no warnings in 214 files", externalExecutionId: "lint-1" } });
        return;
    }
    const round = Number(data.continuationToken ?? 0);
    console.log(`round ${round + 1}: cart, payment and stock`);
    for (let count = 1; count <= 12; count += 1) {
        await pause(60 + 25 * (count % 5));
        console.log(`ok ${round * 12 + count} - ${["adds an item", "applies a voucher", "refuses an empty cart", "reserves stock"][count % 4]}`);
    }
    if (round === 2) await new Promise(() => setInterval(() => {}, 1000));
    await call("PutJobSuccessResult", {
        jobId: id, continuationToken: String(round + 1),
        executionDetails: { summary: `${(round + 1) * 12} of 36 tests passed`, percentComplete: Math.round((round + 1) * 33.3), externalExecutionId: "build-482" },
    });
}

for (;;) {
    const { jobs } = await call("PollForJobs", { actionTypeId, maxBatchSize: 1 }).catch(() => ({ jobs: [] }));
    for (const job of jobs) await work(job);
    await pause(150);
}
