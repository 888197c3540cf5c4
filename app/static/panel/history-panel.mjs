/**
 * The history in the panel: every step with its picture, what was asked for, and the way back to it.
 * @typedef {import("../scene/store.mjs").Step} Step
 */
import { h, iconButton, keyed, setText } from "../page/dom.mjs";
import { ago } from "../page/format.mjs";
import { followWords } from "./follow-slider.mjs";
import { layerWords } from "../layers/layers.mjs";
import { slot } from "./panel-slots.mjs";

/** @type {Step} */
const START = { id: 0, request: { kind: "start" }, rect: null, undone: false, dropped: false, aside: false };
const NAMES = { erase: "Erased", start: "The scene before its first step", import: "Imported" };
/** Kinds that have a prompt and a seed to use again. */
const REUSABLE = new Set(["generate", "edit", "fill"]);

/** @param {import("../scene/store.mjs").Wanted} request records of before the fast sampler name none */
export function samplerWords({ sampler = "quality", steps }) {
  return ` · ${sampler}${steps ? `, ${steps} step${steps === 1 ? "" : "s"}` : ""}`;
}

export class HistoryPanel {
  #actions;
  #path = "";

  /** @param {{look: (step: Step) => void, go: (step: Step) => void, reuse: (step: Step) => void,
   *   model: (fingerprint: string) => string}} actions `model` names one */
  constructor(actions) {
    this.#actions = actions;
  }

  /** @param {string} scene @param {Step[]} steps oldest first, with those that do not show */
  show(scene, steps) {
    const place = slot("history");
    if (!place) return;
    if (this.#path !== scene) place.replaceChildren(); // pictures are addressed by scene
    this.#path = scene;
    // What shows now is the newest step that is not undone; back goes only as far as pixels are kept.
    const current = steps.findLast((step) => !step.undone)?.id ?? 0;
    const kept = steps.findLast((step) => step.dropped)?.id ?? 0;
    const rows = [START, ...steps].reverse().map((step) => ({ ...step, current: step.id === current, reachable: step.id >= kept }));
    keyed(place, rows, (step) => String(step.id), (step) => this.#row(step));
  }

  #row(step) {
    // The scene's records leave out a 0.
    const { kind, prompt, seed, follow = 0 } = step.request;
    const text = NAMES[kind] ?? (prompt || "(no prompt)");
    let now = step;
    const small = h("small");
    const go = h("button", { type: "button", class: "row-go", onclick: () => this.#actions.go(now) }, this.#picture(step));
    const title = h("span", { class: "row-text" }, text);
    const name = h("button", { type: "button", class: "row-name", title: "Show the place", onclick: () => this.#actions.look(now) }, title, small);
    const again = REUSABLE.has(kind) ? iconButton("reuse", `Use these settings again: ${text}`, () => this.#actions.reuse(now)) : null;
    const row = h("li", { class: "history-row" }, go, step.rect ? name : title, again);
    const update = (latest) => {
      now = latest;
      const seeded = seed === undefined || !REUSABLE.has(kind) ? "" : ` · seed ${seed}`;
      const sampled = REUSABLE.has(kind) ? samplerWords(step.request) : "";
      const made = step.request.model ? ` · ${this.#actions.model(step.request.model)}` : "";
      const followed = REUSABLE.has(kind) && followWords(follow);
      if (step.rect) setText(small, `${layerWords(step.request)}${latest.aside ? "set aside · " : ""}${kind === "edit" ? "edit · " : ""}${ago(step.created, Date.now())}${seeded}${sampled}${followed ? ` · ${followed}` : ""}${made}`);
      row.classList.toggle("undone", Boolean(latest.undone));
      row.classList.toggle("aside", latest.aside);
      row.classList.toggle("current", latest.current);
      if (latest.current) row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
      go.disabled = latest.current || !latest.reachable;
      const label = latest.current ? "This is shown now" : latest.reachable ? "Go to this step" : "Its pixels were dropped to save space";
      go.setAttribute("aria-label", `${label}: ${text}`);
      go.title = label;
    };
    return Object.assign(row, { update });
  }

  #picture(step) {
    if (!step.rect) return h("span", { class: "row-thumb" });
    const image = h("img", { class: "row-thumb", alt: "", loading: "lazy", src: `api/scenes/${this.#path}/steps/${step.id}/thumbnail.webp` });
    // An erasure may leave nothing to show: an empty place says so better than a broken picture.
    image.addEventListener("error", () => image.replaceWith(h("span", { class: "row-thumb" })));
    return image;
  }
}
