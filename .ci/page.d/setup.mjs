// One emulator and one browser for the tests of a file.

import { after, before } from "node:test";

import { launch } from "./browser.mjs";
import { Emulator } from "./emulator.mjs";
import { prepare } from "./pipelines.mjs";

/** Returns an object that has `emulator` and `browser` once the tests run. `make` prepares more. */
export function setup(make = async () => {}, flags = []) {
    const world = {};
    before(async () => {
        [world.emulator, world.browser] = await Promise.all([Emulator.start(flags), launch()]);
        await prepare(world.emulator);
        await make(world);
    });
    after(async () => {
        await world.browser?.close();
        await world.emulator?.stop();
    });
    return world;
}
