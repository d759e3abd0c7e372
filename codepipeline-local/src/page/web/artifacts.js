// Artifacts to browse and to download. The page reads the list of files when the user opens an artifact.

import { read } from "./calls.js";
import { h, show } from "./element.js";
import { bytes, plural } from "./format.js";
import { api } from "./route.js";

/** The artifacts of an action. `side` is "input" or "output". */
export function artifactsView(action, side, artifacts) {
    return h("ul", { class: "artifacts" }, artifacts.map((artifact) => h("li", { key: artifact.name }, artifactView(action, side, artifact))));
}

function artifactView(action, side, artifact) {
    const { name, bucket, key, exists, bytes: size, revision } = artifact;
    const place = h("span", { class: "quiet place" }, `s3://${bucket}/${key}`, revision && ` · revision ${revision}`);
    if (!exists) return h("div", { key: "absent", class: "artifact" }, h("strong", {}, name), h("span", { class: "quiet" }, "Not uploaded"), place);
    const query = { action, side, name };
    // A new upload has another size, and then its list is read again.
    return h("details", { key: `${key}:${size}`, class: "artifact", ontoggle: (event) => open(event.target, query) },
        h("summary", {}, h("strong", {}, name), size !== undefined && h("span", { class: "quiet" }, bytes(size))),
        place,
        h("div", { own: true, class: "content" }));
}

async function open(details, query) {
    const content = details.querySelector(".content");
    if (!details.open || content.dataset.state) return;
    content.dataset.state = "loading";
    show(content, h("p", { class: "quiet", role: "status" }, "Reading the artifact…"));
    try {
        const found = await read("artifact", query);
        show(content, contentView(query, found));
    } catch (error) {
        show(content, h("p", { class: "problem", role: "alert" }, error.message));
        // Opening it again tries again.
        delete content.dataset.state;
    }
}

function contentView(query, { kind, bytes: size, entries, left_out: leftOut, problem }) {
    const archive = kind !== "file";
    return [
        h("p", {}, download({ ...query, whole: 1 }, `Download the ${archive ? `${kind} archive` : "file"}`), h("span", { class: "quiet" }, ` ${bytes(size)}`)),
        problem && h("p", { key: "problem", class: "problem", role: "alert" }, `The archive is broken: ${problem}`),
        archive && h("p", { key: "count", class: "quiet" }, count(entries.length + (leftOut ?? 0), problem)),
        archive && treeView(query, treeOf(entries)),
        leftOut > 0 && h("p", { key: "left-out", class: "quiet" }, `${plural(leftOut, "more file")} not listed; download the archive to see all.`),
    ];
}

// A broken archive is not empty: only the files before the problem are known.
function count(files, problem) {
    if (problem) return files > 0 && `${plural(files, "file")} before the problem`;
    return files === 0 ? "The archive is empty." : plural(files, "file");
}

function download(query, ...content) {
    return h("a", { href: api("artifact", query), download: true }, content);
}

// Folders by name, each with its folders and files.
function treeOf(entries) {
    const root = { folders: new Map(), files: [] };
    for (const entry of entries) {
        const parts = entry.name.split("/").filter((part) => part !== "");
        const file = entry.name.endsWith("/") ? undefined : parts.pop();
        let folder = root;
        for (const part of parts) {
            if (!folder.folders.has(part)) folder.folders.set(part, { folders: new Map(), files: [] });
            folder = folder.folders.get(part);
        }
        if (file !== undefined) folder.files.push({ ...entry, file });
    }
    return root;
}

function treeView(query, { folders, files }) {
    return h("ul", { class: "tree" },
        [...folders].sort(byName).map(([name, folder]) => h("li", { key: `folder:${name}` }, folderView(query, name, folder))),
        files.sort((a, b) => (a.file < b.file ? -1 : 1)).map(({ name, file, bytes: size }) => h("li", { key: `file:${name}` },
            download({ ...query, entry: name }, file), " ", h("span", { class: "quiet" }, bytes(size)))));
}

// A folder lists its content when the user opens it, so an archive with thousands of files opens at once.
function folderView(query, name, folder) {
    return h("details", { ontoggle: ({ target }) => {
        const inside = target.querySelector(".inside");
        if (target.open && !inside.firstChild) show(inside, treeView(query, folder));
    } }, h("summary", {}, name), h("div", { own: true, class: "inside" }));
}

function byName([a], [b]) {
    return a < b ? -1 : 1;
}
