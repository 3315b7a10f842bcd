import * as hoot from "@odoo/hoot-dom";
import { registry } from "@web/core/registry";
import { tourState } from "@web_tour/js/tour_state";

/** Milliseconds in which the pointer has to show up. */
const PATIENCE = 15000;

async function waitFor(what, check) {
    const end = Date.now() + PATIENCE;
    while (Date.now() < end) {
        const found = check();
        if (found) {
            return found;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${what} after ${PATIENCE} ms`);
}

function findAnchor(trigger) {
    return trigger
        .split(/,\s*(?![^(]*\))/)
        .map((part) => hoot.queryFirst(part, { visible: true }))
        .find((element) => element);
}

/** Change something on the page, as a moving mouse does: Odoo looks again where to point only then. */
function stir() {
    const nothing = document.createElement("i");
    document.body.append(nothing);
    nothing.remove();
}

async function act(anchor, run) {
    anchor.scrollIntoView({ block: "center" });
    await hoot.click(anchor);
    if (run.startsWith("edit ")) {
        await hoot.edit(run.slice("edit ".length));
    }
}

/** Do what an onboarding tour says as a person would: only where the pointer is shown, step by step to the end. */
async function follow(name) {
    const steps = registry.category("web_tour.tours").get(name).steps();
    odoo.startTour(name, { mode: "manual", redirect: false });
    await waitFor("the tour did not start", () => tourState.getCurrentTour() === name);
    while (tourState.getCurrentTour() === name) {
        const index = tourState.getCurrentIndex();
        const { trigger, run } = steps[index];
        const where = `step ${index} (${trigger})`;
        await waitFor(`no pointer at ${where}`, () => {
            stir();
            return document.querySelector(".o_tour_pointer");
        });
        const anchor = await waitFor(`nothing to point at in ${where}`, () => findAnchor(trigger));
        await act(anchor, run);
        const isOver = () => tourState.getCurrentTour() !== name;
        await waitFor(`no way on from ${where}`, () => isOver() || tourState.getCurrentIndex() !== index);
    }
}

odoo.followTour = (name) =>
    follow(name).then(
        () => console.log("test successful"), // eslint-disable-line no-console
        (error) => console.error(error.message) // eslint-disable-line no-console
    );
