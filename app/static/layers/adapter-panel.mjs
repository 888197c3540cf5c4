/** The adapters of the model in the panel: styles with their weights, those that make layers, and adding and removing one's own. */
import * as choice from "./adapter-choice.mjs";
import { confirm } from "../dialogs/dialogs.mjs";
import { titleOf } from "./layers.mjs";
import { h, iconButton, keyed, setText } from "../page/dom.mjs";
import { slot } from "../panel/panel-slots.mjs";

/** @typedef {import("./layers.mjs").Adapter} Adapter */

const WEIGHTS = /\.safetensors$/i;
/** Not peft's own adapter_config.json. */
const MANIFEST = /^adapter(?!_config).*\.json$/i;

export class AdapterPanel {
  #weights = choice.loadWeights(localStorage);
  #page;
  #api;
  #list = h("ul", { class: "adapter-list", "aria-label": "Adapters" });
  #none = h("p", { class: "layer-told" });
  #said = h("p", { class: "adapter-said", role: "alert" });
  #node;
  #busy = false;

  /** @param {import("../scene-canvas.mjs").Page} page @param {import("../scene/transport.mjs").Api} api */
  constructor(page, api) {
    this.#page = page;
    this.#api = api;
    const hub = h("input", { type: "text", "aria-label": "Adapter on the hub, user/repository", placeholder: "user/repository", maxlength: 200, autocomplete: "off", spellcheck: "false" });
    const fetch = h("form", { class: "adapter-hub" }, hub, h("button", { type: "submit", class: "small" }, "Fetch"));
    fetch.addEventListener("submit", async (event) => {
      event.preventDefault();
      const id = hub.value.trim();
      if (!id) return this.#say("Type the name of an adapter on the hub, such as user/repository.");
      const added = await this.#add(`Fetching ${id} …`, () => api.post("/adapters/hub", { id }));
      if (added) hub.value = "";
    });
    const button = (text, title, folder) => h("button", { type: "button", class: "small", title, onclick: () => this.#pick(folder) }, text);
    this.#node = h(
      "div",
      { class: "adapters" },
      this.#none,
      this.#list,
      h("div", { class: "adapter-add" }, button("Add a file …", "A .safetensors file, with its adapter.json where it has one", false), button("Add a folder …", "A folder that holds them", true)),
      fetch,
      this.#said,
    );
  }

  get #known() {
    return this.#page.state.model.adapters ?? [];
  }

  /** As a request has them. */
  get chosen() {
    return choice.requested(this.#known, this.#weights);
  }

  /** Those that a step was made with. @param {[string, number][]} used */
  take(used) {
    this.#set(choice.weightsOf(this.#known, used));
  }

  #set(weights) {
    this.#weights = weights;
    choice.saveWeights(localStorage, weights);
    this.show();
  }

  /** @returns {boolean} whether there is a place for it */
  show() {
    const place = slot("adapters");
    if (!place) return false;
    if (this.#node.parentNode !== place) place.replaceChildren(this.#node);
    const { model } = this.#page.state;
    setText(this.#none, this.#known.length ? "" : model.state === "loading" ? "The model is still loading." : "This model has no adapters yet.");
    keyed(this.#list, this.#known, ({ name, fingerprint }) => `${name} ${fingerprint}`, (adapter) => this.#row(adapter));
    return true;
  }

  /** @param {Adapter} adapter */
  #row({ name, modality, rank, shipped, samples, licence }) {
    const style = modality === "rgb";
    const facts = [style ? "style" : `makes ${titleOf(modality)}`, shipped ? "shipped" : "added", `rank ${rank}`];
    const title = [samples && `${samples.toLocaleString("en-GB")} training samples`, licence].filter(Boolean).join("; ");
    const weight = h("input", { type: "range", min: 0, max: choice.MOST_WEIGHT, step: 0.05, "aria-label": `Weight of ${name}, 0 is off` });
    const told = h("output", { "aria-hidden": "true" });
    weight.addEventListener("input", () => this.#set({ ...this.#weights, [name]: Number(weight.value) }));
    const node = h(
      "li",
      { class: "adapter" },
      h("div", { class: "row-line" }, h("span", { class: "adapter-name", title: title || null }, h("b", {}, name), h("small", {}, facts.join(" · "))), shipped ? null : iconButton("trash", `Remove ${name} …`, () => this.#remove(name))),
      style && h("div", { class: "row-line" }, weight, told),
    );
    const update = () => {
      const now = choice.weightOf(this.#weights[name]);
      weight.value = String(now);
      weight.setAttribute("aria-valuetext", now ? now.toFixed(2) : "off");
      setText(told, now ? now.toFixed(2) : "off");
    };
    return Object.assign(node, { update });
  }

  /** @param {boolean} folder */
  #pick(folder) {
    const input = h("input", { type: "file", multiple: !folder, webkitdirectory: folder, accept: folder ? null : ".safetensors,.json" });
    input.addEventListener("change", () => void this.#send([...input.files]));
    input.click();
  }

  /** @param {File[]} files */
  async #send(files) {
    const weights = files.filter(({ name }) => WEIGHTS.test(name));
    if (weights.length !== 1) {
      const what = weights.length ? "more than one .safetensors file: choose the one of the adapter" : "no .safetensors file: that is what the weights of an adapter are";
      return this.#say(`Among what you chose is ${what}.`);
    }
    const manifest = files.find(({ name }) => MANIFEST.test(name));
    const form = new FormData();
    form.append("weights", weights[0]);
    if (manifest) form.append("manifest", manifest);
    // A folder's name says more than that of the file in it.
    const [folder] = weights[0].webkitRelativePath.split("/");
    if (folder) form.append("name", folder);
    await this.#add(`Adding ${folder || weights[0].name} …`, () => this.#api.post("/adapters", form));
  }

  /** @param {string} saying @param {() => Promise<Adapter>} add @returns {Promise<boolean>} */
  async #add(saying, add) {
    if (this.#busy) return false;
    this.#busy = true;
    this.#say(saying, false);
    try {
      const { name, modality } = await add();
      this.#say(modality === "rgb" ? `${name} is there: give it a weight.` : `${name} is there: choose ${titleOf(modality)} above the prompt.`, false);
      return true;
    } catch (error) {
      this.#say(error.message);
      return false;
    } finally {
      this.#busy = false;
    }
  }

  /** @param {string} name */
  async #remove(name) {
    if (!(await confirm(this.#page, "Remove an adapter", `Remove ${name} from this program? What was made with it stays as it is.`, "Remove", true))) return;
    try {
      await this.#api.call("DELETE", `/adapters/${encodeURIComponent(name)}`);
      const { [name]: _, ...others } = this.#weights;
      this.#set(others);
      this.#say("");
    } catch (error) {
      this.#say(error.message);
    }
  }

  #say(sentence, wrong = true) {
    setText(this.#said, sentence);
    this.#said.classList.toggle("wrong", wrong);
  }
}
