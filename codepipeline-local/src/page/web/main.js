// Shows the view of the address, follows its data, and updates the view after every change.

import { hasToken, RUN_ENDED, WHY_NOT } from "./calls.js";
import { h, show } from "./element.js";
import { tick } from "./format.js";
import { Live } from "./live.js";
import { Log } from "./log.js";
import { empty, heading } from "./parts.js";
import { link, route } from "./route.js";
import { actionQuery, actionView } from "./action.js";
import { executionQuery, executionTitle, executionView } from "./execution.js";
import { executionsQuery, executionsTitle, executionsView } from "./executions.js";
import { pipelinesQuery, pipelinesTitle, pipelinesView } from "./pipelines.js";
import { announceConnection, announceStatus } from "./announce.js";

const VIEWS = {
    pipelines: { query: pipelinesQuery, title: pipelinesTitle, view: pipelinesView },
    executions: { query: executionsQuery, title: executionsTitle, view: executionsView },
    execution: { query: executionQuery, title: executionTitle, view: executionView },
};

const main = document.getElementById("main");
const notice = document.getElementById("notice");
const facts = document.getElementById("facts");
// The stream of the view. That of an execution also has the action in the panel, because a browser opens only six connections to a host.
let live;
let log;
// The link of the action in the panel, which gets the focus back.
let lastOpened;
let lastView;
let scheduled = false;

function render() {
    scheduled = false;
    const place = route();
    const view = VIEWS[place.name];
    if (!view) return unknown();
    followAction(place);
    const { items } = live;
    const emulator = items.get(":emulator");
    const canAct = emulator?.can_act === true && !live.ended;
    const whyNot = live.ended ? RUN_ENDED : WHY_NOT;
    const context = { route: place, canAct, whyNot, loaded: live.loaded, widen };
    const focused = main.contains(document.activeElement) ? document.activeElement : undefined;
    const region = focused?.closest(".panel");

    main.className = place.action ? "with-panel" : "";
    show(main,
        h("div", { key: viewKey(place), class: `view ${place.name}` }, live.refused || live.missing ? absent(live) : view.view(items, context)),
        place.action && h("aside", { key: "panel", class: "panel", "aria-label": `Action ${place.action}` },
            h("div", { key: `${place.stage}/${place.action}` }, actionView(items, log ?? (log = new Log()), context))));
    document.title = `${view.title(place, items)} – codepipeline-local`;
    tick();
    showEmulator(emulator, canAct, whyNot);
    announceConnection(live);
    announceStatus(place, items);
    // The focused element is gone: the heading above it is the closest place.
    if (focused && !focused.isConnected && !document.querySelector("dialog")) {
        (region?.isConnected ? region.querySelector("h2") : main.querySelector("h1"))?.focus({ preventScroll: true });
    }
}

function schedule() {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(render);
}

// Follows the data of the new address.
function navigate(event) {
    const place = route();
    const view = VIEWS[place.name];
    const moved = viewKey(place) !== lastView;
    lastView = viewKey(place);
    if (moved && view) {
        // Whether the token is right does not depend on the view.
        const emulator = live?.items.get(":emulator");
        live = new Live(view.query(place), { changed: schedule, before: live, known: emulator ? [[":emulator", emulator]] : [] });
        live.loaded = false;
    }
    render();
    const opened = place.action && main.querySelector('.card a[aria-current="true"]');
    if (event && moved) {
        scrollTo(0, 0);
        main.querySelector("h1")?.focus({ preventScroll: true });
    } else if (event && opened !== lastOpened) {
        (place.action ? main.querySelector(".panel h2") : lastOpened)?.focus();
    }
    lastOpened = opened;
}

// Follows the action in the panel, with the execution. The action's id comes with the execution's items, and changes with a retry.
function followAction(place) {
    if (place.name !== "execution") return;
    const query = (place.action && actionQuery(place, live.items)) ?? executionQuery(place);
    if (query.action === live.query.action) return;
    log = query.action && new Log();
    const lines = log;
    const known = [...live.items].filter(([key]) => key !== ":action" && !key.startsWith("step:"));
    live = new Live(query, { changed: schedule, before: live, known, log: (event, stream) => lines.receive(event, stream.connections) });
}

function widen(query) {
    live = new Live(query, { changed: schedule, before: live });
}

function viewKey(place) {
    return [place.name, place.pipeline, place.execution].join("/");
}

function absent({ refused, missing }) {
    return [
        heading(1, refused ? "This page needs its token" : "Not found"),
        empty(refused ? "Open the address that codepipeline-local printed" : missing, refused && h("p", {}, refused),
            !refused && h("p", {}, "It appears here as soon as it exists. ", h("a", { href: link("pipelines") }, "All pipelines"))),
    ];
}

function unknown() {
    live?.close();
    live = undefined;
    main.className = "";
    show(main, h("div", { key: "unknown", class: "view" }, heading(1, "Not found"),
        empty("This address names no view", h("p", {}, h("a", { href: link("pipelines") }, "All pipelines")))));
    document.title = "Not found – codepipeline-local";
}

function showEmulator(emulator, canAct, whyNot) {
    if (!emulator) return;
    show(facts, h("span", {}, emulator.region), h("span", {}, emulator.account_id), h("span", {}, `Version ${emulator.version}`));
    notice.hidden = canAct;
    show(notice, h("p", {}, whyNot === WHY_NOT && hasToken() ? `${whyNot} Without --data, each start has a new token.` : whyNot));
}

addEventListener("hashchange", navigate);
setInterval(() => {
    if (document.hidden) return;
    tick();
    // The phase that the action is in grows.
    if (live?.items.get(":action")?.status === "InProgress") schedule();
}, 1000);
document.querySelector(".skip").onclick = (event) => { event.preventDefault(); main.focus(); };
navigate();
