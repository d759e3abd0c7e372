/** The action that worker.ts runs. Replace `work` with your own. */

import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FailureType } from "@aws-sdk/client-codepipeline";

/** Ends the action with a failure of one of the API's types. */
export class Failed extends Error {
  constructor(
    readonly type: FailureType,
    message: string,
  ) {
    super(message);
  }
}

/** Ends this job. CodePipeline offers another job with the token to the workers of the type. */
export interface Continue {
  token: string;
  percent: number;
}

export interface Finished {
  summary: string;
  variables: Record<string, string>;
}

/** The folder of each artifact, by its name. */
export type Folders = Map<string, string>;

/** The action: lists the files of the first input in `inventory.txt` of each output, in as many jobs as `Steps` says. */
export async function work(
  configuration: Record<string, string>,
  inputs: Folders,
  outputs: Folders,
  token: string | undefined,
): Promise<Continue | Finished> {
  const steps = number(configuration, "Steps", 1);
  const step = Number(token ?? 0) + 1;
  await sleep(1000 * number(configuration, "Seconds", 0)); // in place of work that takes time
  if (step < steps) {
    return { token: String(step), percent: Math.floor((100 * step) / steps) };
  }
  const [folder] = inputs.values();
  if (folder === undefined) {
    throw new Failed("ConfigurationError", "the action needs an input artifact");
  }
  const most = number(configuration, "MaxBytes", 2 ** 30);
  const large: string[] = [];
  const lines: string[] = [];
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const found = await stat(join(folder, name));
    if (found.isFile()) {
      const hash = createHash("sha256").update(await readFile(join(folder, name)));
      lines.push(`${hash.digest("hex")}  ${name}\n`);
      if (found.size > most) {
        large.push(name);
      }
    }
  }
  if (large.length > 0) {
    throw new Failed("JobFailed", `these files have more than ${most} bytes: ${large.join(", ")}`);
  }
  for (const output of outputs.values()) {
    await writeFile(join(output, "inventory.txt"), lines.join(""));
  }
  return { summary: `listed ${lines.length} files`, variables: { Files: String(lines.length) } };
}

function number(configuration: Record<string, string>, key: string, otherwise: number): number {
  const value = configuration[key] ?? String(otherwise);
  if (!/^[0-9]+$/.test(value)) {
    throw new Failed("ConfigurationError", `${key} must be a whole number`);
  }
  return Number(value);
}
