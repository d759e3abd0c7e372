/** Artifacts: objects in S3, read and written with a job's credentials, and safe zip files. */

import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Artifact, AWSSessionCredentials, EncryptionKey } from "@aws-sdk/client-codepipeline";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import yauzl from "yauzl";
import yazl from "yazl";
import { Failed } from "./action.js";

/** How long a job's credentials are assumed to be valid. The API does not say it; AWS's own workers assume 15 minutes. */
const CREDENTIAL_SECONDS = Number(process.env.CREDENTIAL_SECONDS ?? 900);
const MAX_ENTRIES = 100_000;
const MAX_UNPACKED = 2 ** 30;

/** An S3 client with the job's credentials. It calls `renew` five minutes before they expire. */
export function s3Client(keys: AWSSessionCredentials | undefined, renew: () => Promise<AWSSessionCredentials>): S3Client {
  let first = keys;
  return new S3Client({
    credentials: async () => {
      const { accessKeyId, secretAccessKey, sessionToken } = first ?? (await renew());
      first = undefined;
      const expiration = new Date(Date.now() + 1000 * CREDENTIAL_SECONDS);
      return { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey!, sessionToken, expiration };
    },
  });
}

export async function download(s3: S3Client, artifact: Artifact, folder: string, archive: string): Promise<void> {
  const response = await s3.send(new GetObjectCommand(place(artifact)));
  await pipeline(response.Body as Readable, createWriteStream(archive));
  await unpack(archive, folder, artifact.name!);
}

/** Packs the folder and uploads it in one request, which S3 limits to 5 GB. */
export async function upload(
  s3: S3Client,
  artifact: Artifact,
  folder: string,
  archive: string,
  key: EncryptionKey | undefined,
): Promise<void> {
  await pack(folder, archive);
  await s3.send(
    new PutObjectCommand({
      ...place(artifact),
      Body: createReadStream(archive),
      ContentLength: (await stat(archive)).size,
      // An artifact store refuses uploads without SSE-KMS. Without a key of the pipeline, S3 takes the account's key aws/s3.
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: key?.id,
    }),
  );
}

function place(artifact: Artifact): { Bucket: string; Key: string } {
  const { bucketName, objectKey } = artifact.location!.s3Location!;
  return { Bucket: bucketName!, Key: objectKey! };
}

/** Unpacks a zip. Nothing is written outside the folder: links, and names that lead out of it, fail the job. */
async function unpack(archive: string, folder: string, name: string): Promise<void> {
  let entries = 0;
  let total = 0;
  try {
    // yauzl refuses absolute names, `..` and backslashes, and data that is longer than an entry's size.
    const zip = await yauzl.openPromise(archive, { strictFileNames: true });
    for await (const entry of zip.eachEntry()) {
      entries += 1;
      total += entry.uncompressedSize;
      if (entries > MAX_ENTRIES || total > MAX_UNPACKED) {
        throw new Failed("JobFailed", `artifact ${name} has over ${MAX_ENTRIES} entries or ${MAX_UNPACKED} bytes`);
      }
      const mode = entry.externalFileAttributes >>> 16;
      if (![0, 0o100000, 0o040000].includes(mode & 0o170000)) {
        throw new Failed("JobFailed", `artifact ${name} has an entry that is neither a file nor a folder: ${entry.fileName}`);
      }
      const target = join(folder, entry.fileName);
      const isFolder = entry.fileName.endsWith("/");
      await mkdir(isFolder ? target : dirname(target), { recursive: true });
      if (!isFolder) {
        // The flag wx refuses a second entry of the same name.
        await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { flags: "wx" }));
        await chmod(target, (mode & 0o777 || 0o644) | 0o600);
      }
    }
  } catch (error) {
    if (error instanceof Failed) {
      throw error;
    }
    throw new Failed("JobFailed", `artifact ${name} is not a zip that this worker can unpack: ${(error as Error).message}`);
  }
}

/** Packs a folder. It follows no link, because a link could lead to a file that must not leave the worker. */
async function pack(folder: string, archive: string): Promise<void> {
  const zip = new yazl.ZipFile();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const path of entries.map((entry) => ({ entry, name: join(entry.parentPath, entry.name).slice(folder.length + 1) }))) {
    if (path.entry.isFile()) {
      zip.addFile(join(folder, path.name), path.name);
    } else if (path.entry.isDirectory()) {
      zip.addEmptyDirectory(path.name);
    } else {
      throw new Failed("JobFailed", `the output holds something that is neither a file nor a folder: ${path.name}`);
    }
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(archive));
}
