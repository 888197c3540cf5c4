/** The models that are here, in the panel: which one is at work, how each runs on this machine, and switching to another. */
import { h, keyed, setText } from "../page/dom.mjs";
import { slot } from "../panel/panel-slots.mjs";
import { factsOf, loadingWords } from "./model-words.mjs";

/** @typedef {import("./model-words.mjs").ModelHere} ModelHere */

export class ModelPicker {
  #page;
  #api;
  /** @type {ModelHere[]} */ #known = [];
  #coming = false;
  #list = h("ul", { class: "model-list", "aria-label": "Models" });
  #said = h("p", { class: "model-said", role: "status" });
  #stop = h("button", { type: "button", class: "small", hidden: true, onclick: () => void this.#ask(() => this.#api.call("DELETE", "/models/fetching")) }, "Stop fetching");
  #node = h("div", { class: "models" }, this.#list, this.#said, this.#stop, h("p", { class: "model-told" }, "Switching keeps the scene. Ground of another model is encoded anew where it is continued."));

  /** @param {import("../scene-canvas.mjs").Page} page @param {import("../scene/transport.mjs").Api} api */
  constructor(page, api) {
    this.#page = page;
    this.#api = api;
  }

  /** Gradio builds what is in its accordion anew each time it is opened; what is on the disk may have changed, too. */
  opened(tries = 60) {
    if (!this.show() && tries) requestAnimationFrame(() => this.opened(tries - 1));
    else void this.#look();
  }

  async #look() {
    try {
      this.#known = await this.#api.get("/models");
      this.show();
    } catch (error) {
      setText(this.#said, error.message);
    }
  }

  /** @returns {boolean} whether there is a place for it */
  show() {
    const place = slot("model");
    if (!place) return false;
    if (this.#node.parentNode !== place) place.replaceChildren(this.#node);
    const { state, name, switching, refused, fetching } = this.#page.state.model;
    const coming = switching ?? (state === "loading" ? name : null);
    const came = this.#coming && !coming;
    this.#coming = Boolean(coming);
    if (came) void this.#look(); // what was fetched runs now, and has a fingerprint
    setText(this.#said, coming ? loadingWords(coming, fetching) : (refused ?? ""));
    this.#said.classList.toggle("wrong", !coming && Boolean(refused));
    this.#stop.hidden = !fetching;
    this.#stop.disabled = Boolean(fetching?.stopping);
    keyed(this.#list, this.#known, ({ name, where }) => `${where} ${name}`, (model) => this.#row(model));
    return true;
  }

  /** @param {ModelHere} model */
  #row(model) {
    const small = h("small");
    const use = h("button", { type: "button", class: "small", "aria-label": `Use ${model.name}`, onclick: () => void this.#ask(() => this.#api.post("/models/current", { name: model.name })) }, "Use");
    const node = h("li", { class: "model" }, h("span", { class: "model-name" }, h("b", {}, model.name), small), use);
    /** @param {ModelHere} latest */
    const update = (latest) => {
      const { model: state } = this.#page.state;
      const current = state.name === latest.name && state.state === "ready";
      setText(small, factsOf(latest, current ? state : null));
      node.classList.toggle("current", current);
      use.disabled = current || !(latest.runs || latest.partly) || Boolean(state.switching) || state.state === "loading";
      setText(use, current ? "In use" : latest.partly ? "Fetch" : "Use");
    };
    return Object.assign(node, { update });
  }

  /** @param {() => Promise<unknown>} wish */
  async #ask(wish) {
    try {
      await wish();
    } catch (error) {
      setText(this.#said, error.message);
      this.#said.classList.add("wrong");
    }
  }
}
