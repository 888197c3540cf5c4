/** The models that are here, in the panel: which one is at work, how each runs on this machine, and switching to another. */
import { h, keyed, setText } from "../page/dom.mjs";
import { slot } from "../panel/panel-slots.mjs";
import { factsOf } from "./model-words.mjs";

/** @typedef {import("./model-words.mjs").ModelHere} ModelHere */

export class ModelPicker {
  #page;
  #api;
  /** @type {ModelHere[]} */ #known = [];
  #list = h("ul", { class: "model-list", "aria-label": "Models" });
  #said = h("p", { class: "model-said", role: "status" });
  #node = h("div", { class: "models" }, this.#list, this.#said, h("p", { class: "model-told" }, "Switching keeps the scene. Ground of another model is encoded anew where it is continued."));

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
    const { switching, refused } = this.#page.state.model;
    setText(this.#said, switching ? `Loading ${switching} …` : (refused ?? ""));
    this.#said.classList.toggle("wrong", !switching && Boolean(refused));
    keyed(this.#list, this.#known, ({ name, where }) => `${where} ${name}`, (model) => this.#row(model));
    return true;
  }

  /** @param {ModelHere} model */
  #row(model) {
    const small = h("small");
    const use = h("button", { type: "button", class: "small", "aria-label": `Use ${model.name}`, onclick: () => void this.#switch(model.name) }, "Use");
    const node = h("li", { class: "model" }, h("span", { class: "model-name" }, h("b", {}, model.name), small), use);
    /** @param {ModelHere} latest */
    const update = (latest) => {
      const { model: state } = this.#page.state;
      const current = state.name === latest.name && state.state === "ready";
      setText(small, factsOf(latest, current ? state : null));
      node.classList.toggle("current", current);
      use.disabled = current || !latest.runs || Boolean(state.switching) || state.state === "loading";
      setText(use, current ? "In use" : "Use");
    };
    return Object.assign(node, { update });
  }

  /** @param {string} name */
  async #switch(name) {
    try {
      await this.#api.post("/models/current", { name });
    } catch (error) {
      setText(this.#said, error.message);
      this.#said.classList.add("wrong");
    }
  }
}
