/** The element's side of the panel: settings that controls set, and what they are told of scene and model. */
import { chosen, described } from "./controls.mjs";
import { showPromptNotes } from "./panel-slots.mjs";
import { choices, isTrained } from "./resolutions.mjs";
import * as settings from "./settings.mjs";
import { isOpen, modelInfo } from "../scene/store.mjs";

const CHECK_MS = 350;

export class PanelLink {
  /** "restore" (prompts and seed), "reseed" (seed), "describe" (all that depends on scene and model). @type {(name: string) => void} */
  tell = () => {};
  #kept = settings.load(localStorage);
  /** Drawn for what is made next, kept until that is made. @type {number|null} */
  #drawn = null;
  #told = "";
  #timer = 0;
  #api;
  #state;
  #label;
  #changed;
  #made;

  /**
   * @param {import("../scene/transport.mjs").Api} api @param {() => import("../scene/store.mjs").State} state
   * @param {() => string} label of the main button @param {() => void} changed called after each change of the settings
   * @param {() => {layer: string, adapters: [string, number][]}} made layer and adapters of a request
   */
  constructor(api, state, label, changed, made) {
    this.#api = api;
    this.#state = state;
    this.#label = label;
    this.#changed = changed;
    this.#made = made;
  }

  get settings() {
    return { ...this.#kept };
  }

  /** @param {Partial<settings.Settings>} patch set by a control */
  set settings(patch) {
    const before = this.#kept;
    this.#kept = settings.merged(before, patch);
    settings.save(localStorage, this.#kept);
    if (["seed", "seed_locked", "seed_used"].some((name) => name in patch)) this.#drawn = null;
    if (this.#kept.prompt !== before.prompt) this.checkPrompt();
    this.#changed();
  }

  /** A control hands its value over. @param {keyof settings.Settings} name @param {unknown} value */
  take(name, value) {
    this.settings = name === "seed" ? { seed: /** @type {number} */ (value), seed_used: false } : { [name]: value };
    return []; // what Gradio expects of a handler without outputs
  }

  /** As `take`, of what only the quality sampler lets one choose: a choice of it is a choice of that sampler. @param {"steps"|"guidance"} name @param {number} value */
  takeOwn(name, value) {
    this.settings = { [name]: value, sampler: "quality" };
    this.describe();
    return [];
  }

  /** What the controls are told after "restore". */
  get chosen() {
    return chosen(this.#kept);
  }

  /** What the controls are told after "describe". */
  get described() {
    return described(this.description());
  }

  /** Set settings from here and show them in the panel. @param {Partial<settings.Settings>} patch */
  restore(patch) {
    this.settings = patch;
    this.tell("restore");
    this.describe();
  }

  /** The seed of what is seen last shows. @param {number} seed something was made with it */
  showSeed(seed) {
    this.settings = { seed, seed_used: true };
    this.tell("reseed");
  }

  /** Another seed for what is made next. */
  rollSeed() {
    this.settings = { seed: settings.nextSeed({ ...this.#kept, seed_locked: false, seed_used: true }), seed_used: false };
    this.tell("reseed");
  }

  /** @param {string} name of a quality */
  setQuality(name) {
    if (name !== "Fast" && name !== "Quality") return [];
    this.settings = settings.quality(name);
    this.describe();
    return [];
  }

  /** What goes with a request; null where the server shall take the model's own. */
  get request() {
    const { prompt, negative_prompt, guidance, follow } = this.#kept;
    this.#drawn ??= settings.nextSeed(this.#kept);
    const seed = this.#drawn;
    const { sampler, steps } = settings.effective(this.#kept, modelInfo(this.#state()));
    if (sampler === "fast") return { prompt, negative_prompt, seed, sampler, steps: null, guidance: null, follow, ...this.#made() };
    const asked = this.#kept.sampler === "fast" ? steps : this.#kept.steps;
    return { prompt, negative_prompt, seed, sampler, steps: asked, guidance, follow, ...this.#made() };
  }

  /** What the panel shows of scene and model; steps and guidance too, since the model's own stand where none is chosen. @returns {import("./controls.mjs").Description} */
  description() {
    const info = modelInfo(this.#state());
    const { scene, jobs } = this.#state();
    const resolution = scene?.resolution ?? info.resolution;
    const fixed = !scene || !scene.empty || jobs.some(isOpen);
    const offered = choices(info.resolutions, resolution);
    const trained = isTrained(info.resolutions, resolution);
    const { steps, guidance, sampler } = settings.effective(this.#kept, info);
    const quality = settings.qualityName(this.#kept, info);
    return { resolution, trained, choices: offered, fixed, window: info.window, maxSteps: info.max_steps, steps, guidance, quality, label: this.#label(), fast: sampler === "fast" };
  }

  /** Tell the panel, if something differs from what it was told. */
  describe() {
    const text = JSON.stringify(this.description());
    if (text === this.#told) return;
    this.#told = text;
    this.tell("describe");
  }

  /** Ask the server, a moment after the last key, how the model reads the prompt. */
  checkPrompt() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      const text = this.settings.prompt;
      if (this.#state().model.state !== "ready") return;
      const report = text.trim() ? await this.#api.post("/prompt/check", { text }).catch(() => null) : null;
      if (text === this.settings.prompt) showPromptNotes(report);
    }, CHECK_MS);
  }
}
