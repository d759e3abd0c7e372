// Texts that a screen reader announces on its own: the state of the connection, and changes of the execution's status.

import { show } from "./element.js";
import { actionStatus, isRunning, words } from "./status.js";

const connection = document.getElementById("connection");
const announcement = document.getElementById("announcement");
let shown;
let lastStatuses = new Map();
let lastPlace;

/** Shows whether the data is live. Only a change is written, because each one is read out. */
export function announceConnection(live) {
    const state = live.ended ? "ended" : live.refused ? "refused" : live.state;
    if (state === shown) return;
    shown = state;
    connection.className = `connection ${state}`;
    show(connection, { open: "Live", lost: "Connection lost, trying again", refused: "No access", connecting: "Connecting", ended: "The run has ended" }[state]);
}

/** Reads out how the execution, its stages and its approvals change. The first state of a view is not a change. */
export function announceStatus(place, items) {
    const name = [place.name, place.pipeline, place.execution].join("/");
    const statuses = new Map();
    if (place.name === "execution") {
        for (const [key, value] of items) {
            if (key === ":execution") statuses.set("Execution", value.status);
            if (!key.startsWith("stage:") || !value.status) continue;
            statuses.set(`Stage ${value.name}`, value.status);
            for (const declared of value.actions.filter(({ type }) => type.category === "Approval")) {
                const action = items.get(`action:${value.name}/${declared.name}`);
                if (action) statuses.set(`Approval ${declared.name}`, actionStatus(declared, action, isRunning(items.get(":execution")?.status)));
            }
        }
    }
    if (name === lastPlace && lastStatuses.size > 0) {
        const changes = [...statuses].filter(([what, status]) => lastStatuses.get(what) !== status).map(([what, status]) => `${what}: ${words(status)}.`);
        if (changes.length > 0) show(announcement, changes.join(" "));
    }
    lastPlace = name;
    lastStatuses = statuses;
}
