// Action types, artifacts and pipelines of the tests.

import { crc32 } from "node:zlib";

export const SHELL = { category: "Test", owner: "Custom", provider: "Shell", version: "1" };
export const SECRET = "a-secret-value-of-the-test";

const SOURCE = { category: "Source", owner: "AWS", provider: "S3", version: "1" };
const APPROVAL = { category: "Approval", owner: "AWS", provider: "Manual", version: "1" };

/** Creates what every pipeline of the tests needs: the custom action type, buckets and a source. */
export async function prepare(emulator) {
    await emulator.call("CreateCustomActionType", {
        category: SHELL.category, provider: SHELL.provider, version: SHELL.version,
        settings: { executionUrlTemplate: "https://ci.example.com/runs/{ExternalExecutionId}" },
        configurationProperties: [
            { name: "Command", required: true, key: true, secret: false },
            { name: "ApiToken", required: false, key: false, secret: true },
        ],
        inputArtifactDetails: { minimumCount: 0, maximumCount: 5 },
        outputArtifactDetails: { minimumCount: 0, maximumCount: 5 },
    });
    await emulator.s3("PUT", "/sources");
    await emulator.s3("PUT", "/sources?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
    await emulator.s3("PUT", "/artifacts");
    await emulator.s3("PUT", "/sources/source.zip", zip({ "README.md": "# Shop\n", "src/index.html": "<h1>Shop</h1>\n", "src/lib/cart.js": "export {};\n" }));
}

/** A zip archive with stored files. */
export function zip(files) {
    const locals = [];
    const directory = [];
    let offset = 0;
    for (const [name, content] of Object.entries(files)) {
        const [path, data] = [Buffer.from(name), Buffer.from(content)];
        const head = Buffer.alloc(26);
        head.writeUInt16LE(20, 0);
        head.writeUInt16LE(0x0800, 2); // names are UTF-8
        head.writeUInt32LE(crc32(data), 10);
        head.writeUInt32LE(data.length, 14);
        head.writeUInt32LE(data.length, 18);
        head.writeUInt16LE(path.length, 22);
        const local = Buffer.concat([Buffer.from("PK\x03\x04"), head, path, data]);
        const tail = Buffer.alloc(14);
        tail.writeUInt32LE(offset, 10);
        directory.push(Buffer.from("PK\x01\x02\x14\x00"), head, tail, path);
        locals.push(local);
        offset += local.length;
    }
    const central = Buffer.concat(directory);
    const end = Buffer.alloc(22);
    end.write("PK\x05\x06", "latin1");
    end.writeUInt16LE(locals.length, 8);
    end.writeUInt16LE(locals.length, 10);
    end.writeUInt32LE(central.length, 12);
    end.writeUInt32LE(offset, 16);
    return Buffer.concat([...locals, central, end]);
}

export function source(name = "Source") {
    return {
        name, actionTypeId: SOURCE, outputArtifacts: [{ name: "App" }],
        configuration: { S3Bucket: "sources", S3ObjectKey: "source.zip", PollForSourceChanges: "false" },
    };
}

export function shell(name, command = "make", more = {}) {
    return { name, actionTypeId: SHELL, configuration: { Command: command }, inputArtifacts: [{ name: "App" }], ...more };
}

export function approval(name, data = "Look at the test site before customers do.") {
    return { name, actionTypeId: APPROVAL, configuration: { CustomData: data, ExternalEntityLink: "https://test.example.com/" } };
}

/** Creates a pipeline, which starts at once. `stages` has the actions of each stage by its name. */
export async function createPipeline(emulator, name, stages, more = {}) {
    await emulator.call("CreatePipeline", {
        pipeline: {
            name, roleArn: "arn:aws:iam::123456789012:role/any", artifactStore: { type: "S3", location: "artifacts" }, pipelineType: "V2",
            stages: Object.entries(stages).map(([stage, actions]) => ({ name: stage, actions })), ...more,
        },
    });
    return latestExecution(emulator, name);
}

/** The id of the pipeline's newest execution, if there is one. */
export async function latestExecution(emulator, pipelineName) {
    return (await emulator.call("ListPipelineExecutions", { pipelineName, maxResults: 1 })).pipelineExecutionSummaries[0]?.pipelineExecutionId;
}

/** The status of an execution. */
export async function executionStatus(emulator, pipelineName, pipelineExecutionId) {
    return (await emulator.call("GetPipelineExecution", { pipelineName, pipelineExecutionId })).pipelineExecution.status;
}
