/** What an edit will run, and about how long, told before it is asked for. */
import { roughly } from "../page/format.mjs";

/** After the last stroke or key, before the server is asked. */
const ASK_MS = 150;

/** @param {number} variations @param {string} sampler @param {number|null} seconds null where nothing is known */
export function costWords(variations, sampler, seconds) {
  const what = `${variations} variation${variations === 1 ? "" : "s"}, ${sampler}`;
  return seconds === null ? what : `${what}, about ${roughly(seconds)}`;
}

/**
 * Seconds an edit is expected to take; null where nobody can say.
 * @param {import("../scene-canvas.mjs").Page} page @param {import("../geometry/rect.mjs").Rect} area of the mask
 * @param {{strength: number, variations: number}} wish
 */
export async function secondsOf(page, { x, y, w, h }, { strength, variations }) {
  const { sampler, steps } = page.panel.request;
  const wish = { rect: [x, y, w, h], sampler, steps, strength, variations };
  // While the model loads there is no pace, and a sampler that is not there is told when the edit is asked for.
  const cost = await page.api.post(`/scenes/${page.sceneId}/edits/cost`, wish).catch(() => null);
  return cost?.seconds ?? null;
}

/** Keeps up to date how long the mask's edit is expected to take. */
export class EditCost {
  /** Null where nobody can say. @type {number|null} */
  seconds = null;
  #page;
  #asked = "";
  #timer = 0;

  /** @param {import("../scene-canvas.mjs").Page} page */
  constructor(page) {
    this.#page = page;
  }

  /** Something that it depends on may have changed. */
  update() {
    const { mask, panel, sceneId, state } = this.#page;
    const { sampler, steps } = panel.request;
    const { strength, variations } = mask.settings;
    const area = mask.area;
    const asked = JSON.stringify([sceneId, area, sampler, steps, strength, variations, state.model.seconds_per_step[sampler]]);
    if (asked === this.#asked) return;
    this.#asked = asked;
    clearTimeout(this.#timer);
    this.#tell(null);
    if (!area) return;
    this.#timer = setTimeout(async () => {
      const seconds = await secondsOf(this.#page, area, mask.settings);
      if (asked === this.#asked) this.#tell(seconds);
    }, ASK_MS);
  }

  /** @param {number|null} seconds */
  #tell(seconds) {
    this.seconds = seconds;
    this.#page.panel.describe();
  }
}
