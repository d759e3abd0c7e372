// The list of pipelines, each with its latest execution.

import { cached, h } from "./element.js";
import { elapsed, moment, short } from "./format.js";
import { callButton, empty, heading, revisions } from "./parts.js";
import { executionLink, link } from "./route.js";
import { badge, isRunning } from "./status.js";
import { startDialog } from "./dialogs.js";
import { place } from "./waits.js";

const CREATE = `aws codepipeline create-pipeline \\
  --endpoint-url ${location.origin} --cli-input-json file://pipeline.json`;

export function pipelinesQuery() {
    return { view: "pipelines" };
}

export function pipelinesTitle() {
    return "Pipelines";
}

export function pipelinesView(items, context) {
    const pipelines = [...items.values()].filter(({ stages }) => stages).sort((a, b) => (a.name < b.name ? -1 : 1));
    return [
        h("div", { key: "head", class: "head" }, heading(1, "Pipelines", h("span", { class: "count" }, pipelines.length))),
        pipelines.length === 0
            ? context.loaded && empty("There are no pipelines yet", h("p", {}, "Create one with any AWS SDK, Terraform or the AWS CLI:"), h("pre", { tabindex: "0" }, CREATE))
            : h("div", { key: "table", class: "table pipelines", role: "table", "aria-label": "Pipelines" },
                h("div", { class: "row header", role: "row" }, ["Name", "Latest status", "Source revisions", "Latest execution"].map((name) => h("div", { role: "columnheader" }, name)),
                    h("div", { role: "columnheader" }, h("span", { class: "unseen" }, "Start"))),
                pipelines.map((pipeline) => cached(pipeline.name, [pipeline, context.canAct], () => row(pipeline, context)))),
    ];
}

function row(pipeline, context) {
    const { name, latest } = pipeline;
    return h("div", { class: "row", role: "row" },
        h("div", { role: "cell", class: "name" }, h("a", { href: link("p", name) }, name),
            h("span", { class: "quiet" }, pipeline.stages.join(" → "))),
        h("div", { role: "cell", "data-label": "Latest status" }, latest ? [badge(latest.status), h("span", { class: "quiet" }, place(latest))] : h("span", { class: "quiet" }, "No executions yet")),
        h("div", { role: "cell", "data-label": "Source revisions" }, latest && revisions(latest.revisions, true)),
        h("div", { role: "cell", "data-label": "Latest execution" }, latest && [
            h("a", { href: executionLink(name, latest.id), title: latest.id }, short(latest.id)),
            h("span", { class: "quiet" }, moment(latest.started), " · ", elapsed(latest.started, isRunning(latest.status) ? undefined : latest.updated)),
        ]),
        h("div", { role: "cell", class: "do" }, callButton(context, "Start", () => startDialog(name), { label: `Start ${name}` })));
}
