/** A job worker for AWS CodePipeline: polls, acknowledges, runs the action and reports its result. */

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AcknowledgeJobCommand,
  type AWSSessionCredentials,
  CodePipelineClient,
  CodePipelineServiceException,
  GetJobDetailsCommand,
  type Job,
  type JobData,
  PollForJobsCommand,
  PutJobFailureResultCommand,
  PutJobSuccessResultCommand,
} from "@aws-sdk/client-codepipeline";
import { type Continue, Failed, type Finished, type Folders, work } from "./action.js";
import { download, s3Client, upload } from "./artifacts.js";

type Result = Continue | Finished | Failed;

const [category, provider, version] = (process.env.ACTION_TYPE ?? "Test/Inventory/1").split("/") as [never, string, string];
const ACTION_TYPE = { category, owner: "Custom", provider, version } as const;
const SECRETS = ["ApiToken"]; // the secret configuration keys of the action type
const POLL_SECONDS = Number(process.env.POLL_SECONDS ?? 5);
const CLAIM_SECONDS = 20; // CodePipeline offers an unacknowledged job again after some 30 seconds
const [MAX_MESSAGE, MAX_SUMMARY, MAX_EXTERNAL_ID, MAX_TOKEN, MAX_VARIABLES] = [5000, 2048, 1500, 2048, 122_880];

// Without throwOnRequestTimeout, the SDK only warns and waits on.
const requestHandler = { connectionTimeout: 3000, requestTimeout: 5000, throwOnRequestTimeout: true };
const codePipeline = new CodePipelineClient({ requestHandler, maxAttempts: 10 });
// One try only, because the meaning of a refusal depends on whether an earlier try got no answer.
const oneTry = new CodePipelineClient({ requestHandler, maxAttempts: 1 });
const stop = new AbortController();

async function main(): Promise<void> {
  process.once("SIGTERM", () => stop.abort());
  process.once("SIGINT", () => stop.abort());
  const project = process.env.PROJECT;
  while (!stop.signal.aborted) {
    const polled = performance.now();
    let jobs: Job[] = [];
    try {
      // A worker polls for no more than it can start at once.
      const query = project === undefined ? {} : { queryParam: { Project: project } };
      jobs = (await oneTry.send(new PollForJobsCommand({ actionTypeId: ACTION_TYPE, maxBatchSize: 1, ...query }))).jobs ?? [];
    } catch (error) {
      log("WARNING", `poll failed: ${nameOf(error)}`);
    }
    for (const job of jobs) {
      if (await acknowledge(job, polled)) {
        await run(job.id!, job.data!);
      }
    }
    if (jobs.length === 0) {
      await sleep(1000 * POLL_SECONDS * (0.5 + Math.random()), undefined, { signal: stop.signal }).catch(() => {});
    }
  }
}

/** Returns whether this worker has the job. If not, it must neither run the job nor report a result. */
async function acknowledge(job: Job, polled: number): Promise<boolean> {
  let unanswered = false;
  while (performance.now() < polled + 1000 * CLAIM_SECONDS) {
    try {
      const { status } = await oneTry.send(new AcknowledgeJobCommand({ jobId: job.id, nonce: job.nonce }));
      log("INFO", `acknowledged job ${job.id}: ${status}`);
      return status === "InProgress";
    } catch (error) {
      if (unanswered && nameOf(error) === "InvalidNonceException") {
        // CodePipeline has not offered the job again yet, so the try without an answer has taken effect.
        log("INFO", `job ${job.id} belongs to this worker: the acknowledgement without an answer took effect`);
        return true;
      }
      if (isRefusal(error)) {
        log("INFO", `job ${job.id} belongs to another worker or has ended: ${nameOf(error)}`);
        return false;
      }
      log("WARNING", `could not acknowledge job ${job.id}: ${nameOf(error)}`);
      // A request that never reached CodePipeline, or that it throttled, had no effect.
      unanswered ||= !isThrottled(error) && !isNotConnected(error);
    }
    await sleep(1000);
  }
  log("WARNING", `left job ${job.id}: CodePipeline did not confirm the acknowledgement within ${CLAIM_SECONDS} s`);
  return false;
}

/** Runs a claimed job and reports exactly one result, also after an error. */
async function run(id: string, data: JobData): Promise<void> {
  const configuration = data.actionConfiguration?.configuration ?? {};
  const secrets = present([...SECRETS.map((key) => configuration[key]), ...secretsOf(data.artifactCredentials)]);
  const folder = await mkdtemp(join(tmpdir(), "job-"));
  let result: Result;
  try {
    result = await staged(id, data, configuration, folder, secrets);
    check(result, secrets);
  } catch (error) {
    result = failure(id, error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  // The action's execution id is the same in each of its jobs.
  const externalId = (data.pipelineContext?.action?.actionExecutionId ?? id).slice(0, MAX_EXTERNAL_ID);
  await report(id, externalId, result, secrets);
}

function secretsOf(keys: AWSSessionCredentials | undefined): string[] {
  return present([keys?.secretAccessKey, keys?.sessionToken]);
}

function present(texts: (string | undefined)[]): string[] {
  return texts.filter((text): text is string => !!text);
}

/** Stages the inputs in, does the work, and stages the outputs out after the last job. */
async function staged(
  id: string,
  data: JobData,
  configuration: Record<string, string>,
  folder: string,
  secrets: string[],
): Promise<Continue | Finished> {
  const archive = join(folder, "archive");
  const [inputs, outputs]: [Folders, Folders] = [new Map(), new Map()];
  const s3 = s3Client(data.artifactCredentials, async () => {
    log("INFO", `renewing the credentials of job ${id}`);
    const { jobDetails } = await codePipeline.send(new GetJobDetailsCommand({ jobId: id }));
    const keys = jobDetails!.data!.artifactCredentials!;
    secrets.push(...secretsOf(keys));
    return keys;
  });
  for (const artifact of data.outputArtifacts ?? []) {
    outputs.set(artifact.name!, join(folder, "out", artifact.name!));
    await mkdir(join(folder, "out", artifact.name!), { recursive: true });
  }
  for (const artifact of data.inputArtifacts ?? []) {
    inputs.set(artifact.name!, join(folder, "in", artifact.name!));
    await mkdir(join(folder, "in", artifact.name!), { recursive: true });
    await download(s3, artifact, join(folder, "in", artifact.name!), archive);
  }
  const result = await work(configuration, inputs, outputs, data.continuationToken);
  if (!("token" in result)) {
    for (const artifact of data.outputArtifacts ?? []) {
      await upload(s3, artifact, outputs.get(artifact.name!)!, archive, data.encryptionKey);
    }
  }
  return result;
}

/** What the report says about an error. The text of an unknown error may hold a secret. Its class and its place do not. */
function failure(id: string, error: unknown): Failed {
  if (error instanceof Failed) {
    return error;
  }
  const name = nameOf(error);
  const place = (error as Error).stack?.split("\n").filter((line) => /^ {4}at /.test(line)).join("\n");
  log("ERROR", `job ${id}: ${name}\n${place ?? ""}`);
  const denied = name === "AccessDenied" || name === "AccessDeniedException";
  return new Failed(denied ? "PermissionError" : "JobFailed", `the worker met the error ${name}; search its log for ${id}`);
}

/** Data for later jobs and actions is never altered, so a secret or a broken limit in it fails the job. */
function check(result: Continue | Finished, secrets: string[]): void {
  const data = "token" in result ? { "the continuation token": result.token } : result.variables;
  for (const [name, value] of Object.entries(data)) {
    if (secrets.some((secret) => value.includes(secret))) {
      throw new Failed("JobFailed", `${name} holds a secret`);
    }
  }
  if ("token" in result && result.token.length > MAX_TOKEN) {
    throw new Failed("JobFailed", `the continuation token has ${result.token.length} characters; at most ${MAX_TOKEN} are allowed`);
  }
  const size = Buffer.byteLength(Object.entries(data).flat().join(""));
  if (size > MAX_VARIABLES) {
    throw new Failed("JobFailed", `the output variables have ${size} bytes; at most ${MAX_VARIABLES} are allowed`);
  }
}

/** Sends the result until CodePipeline answers. A refusal after a lost answer means that the result has arrived. */
async function report(jobId: string, externalExecutionId: string, result: Result, secrets: string[]): Promise<void> {
  const text = (value: string, limit: number): string => {
    for (const secret of secrets.toSorted((one, other) => other.length - one.length)) {
      value = value.replaceAll(secret, "****");
    }
    // Half a character at the cut is removed.
    return value.slice(0, limit).replace(/[\uD800-\uDBFF]$/, "") || "no message";
  };
  try {
    if (result instanceof Failed) {
      const failureDetails = { type: result.type, message: text(result.message, MAX_MESSAGE), externalExecutionId };
      await codePipeline.send(new PutJobFailureResultCommand({ jobId, failureDetails }));
    } else if ("token" in result) {
      const executionDetails = { externalExecutionId, percentComplete: result.percent };
      await codePipeline.send(new PutJobSuccessResultCommand({ jobId, continuationToken: result.token, executionDetails }));
    } else {
      const executionDetails = { externalExecutionId, percentComplete: 100, summary: text(result.summary, MAX_SUMMARY) };
      // An empty map is not sent: AWS does not say whether it accepts one.
      const variables = Object.keys(result.variables).length > 0 ? { outputVariables: result.variables } : {};
      await codePipeline.send(new PutJobSuccessResultCommand({ jobId, executionDetails, ...variables }));
    }
    log("INFO", `reported job ${jobId}: ${result instanceof Failed ? "failed" : "token" in result ? "continues" : "finished"}`);
  } catch (error) {
    const name = nameOf(error);
    if (name === "InvalidJobStateException" || name === "JobNotFoundException") {
      log("INFO", `job ${jobId} had ended before this report arrived: ${name}`);
    } else if (isRefusal(error) && !(result instanceof Failed)) {
      await report(jobId, externalExecutionId, new Failed("JobFailed", `CodePipeline refused the result: ${name}`), secrets);
    } else {
      log("ERROR", `could not report job ${jobId}: ${name}`);
    }
  }
}

/** Whether CodePipeline refused the request for good. */
function isRefusal(error: unknown): boolean {
  return error instanceof CodePipelineServiceException && (error.$metadata.httpStatusCode ?? 500) < 500 && !isThrottled(error);
}

function isThrottled(error: unknown): boolean {
  return error instanceof CodePipelineServiceException && error.name.includes("Throttling");
}

/** Whether the request never left: the host has no address, refused the connection, or did not accept it in time. */
function isNotConnected(error: unknown): boolean {
  const codes = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
  const { code, message } = error as NodeJS.ErrnoException;
  // The SDK gives this timeout no code of its own.
  return codes.includes(code ?? "") || message.includes("did not establish a connection");
}

/** The name of an error. Its message may quote what must not be in a log. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function log(level: string, message: string): void {
  console.log(`${new Date().toISOString()} ${level} ${message}`);
}

await main();
