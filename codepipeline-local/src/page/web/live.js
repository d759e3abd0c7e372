// One view's items, kept up to date by server-sent events. It reconnects until it is closed.

import { api } from "./route.js";

// The browser retries a broken connection itself. It gives up after an answer that is no event stream; then we retry.
const RETRY_MS = 1000;

/**
 * Follows a view. `query` names it, as in {view: "pipelines"}. `known` are items to begin with. `before` is a stream that this one replaces:
 * its items are shown until the new ones arrive. `changed(live)` is called after each change of `items`, `missing`, `state`, `refused` or
 * `ended`. `log(event, live)` gets the action's log lines.
 */
export class Live {
    constructor(query, { changed, log, known, before }) {
        before?.close();
        this.query = query;
        this.changed = changed;
        this.log = log;
        /** The view's values by key. A value that did not change stays the same object. */
        this.items = new Map(known ?? before?.items);
        /** Whether the items have arrived. */
        this.loaded = before?.loaded ?? false;
        /** The emulator's message if the pipeline, execution or action does not exist. */
        this.missing = undefined;
        /** "connecting" at first, then "open" or "lost". */
        this.state = before?.state ?? "connecting";
        /** Whether the run has ended, so that no data follows. */
        this.ended = before?.ended ?? false;
        /** The emulator's message if it denies access. */
        this.refused = undefined;
        /** How many connections were opened. The log uses it, because a new connection sends all lines again. */
        this.connections = 0;
        this.onVisibility = () => (document.hidden ? this.disconnect() : this.connect());
        document.addEventListener("visibilitychange", this.onVisibility);
        if (!document.hidden) this.connect();
    }

    close() {
        document.removeEventListener("visibilitychange", this.onVisibility);
        this.disconnect();
        this.closed = true;
    }

    connect() {
        if (this.closed || this.ended || this.source) return;
        clearTimeout(this.timer);
        const source = new EventSource(api("live", this.query));
        this.source = source;
        source.onopen = () => {
            this.connections += 1;
            this.refused = undefined;
            this.become("open");
        };
        source.onerror = () => {
            if (this.source !== source) return;
            this.become("lost");
            if (source.readyState === EventSource.CLOSED) this.retry();
        };
        source.addEventListener("items", (event) => this.receive(JSON.parse(event.data)));
        source.addEventListener("log", (event) => this.log?.(JSON.parse(event.data), this));
        source.addEventListener("ended", () => {
            this.ended = true;
            this.disconnect();
            this.changed(this);
        });
        source.addEventListener("missing", (event) => {
            this.missing = JSON.parse(event.data).message;
            this.changed(this);
        });
    }

    disconnect() {
        clearTimeout(this.timer);
        this.source?.close();
        this.source = undefined;
    }

    // EventSource hides the answer that made it give up, so we ask for the view once.
    async retry() {
        this.disconnect();
        this.timer = setTimeout(() => { if (!document.hidden) this.connect(); }, RETRY_MS);
        try {
            const answer = await fetch(api("view", this.query), { cache: "no-store" });
            if (answer.status === 403) this.refused = (await answer.json()).message;
            if (answer.status === 404) this.missing = (await answer.json()).message;
            if (!this.closed) this.changed(this);
        } catch {
            // The emulator does not run. The timer tries again.
        }
    }

    receive({ all, set, gone }) {
        this.missing = undefined;
        this.loaded = true;
        const before = this.items;
        if (all) this.items = new Map();
        for (const [key, value] of Object.entries(set)) {
            const old = before.get(key);
            this.items.set(key, all && old && JSON.stringify(old) === JSON.stringify(value) ? old : value);
        }
        for (const key of gone ?? []) this.items.delete(key);
        this.changed(this);
    }

    become(state) {
        if (this.state === state) return;
        this.state = state;
        this.changed(this);
    }
}
