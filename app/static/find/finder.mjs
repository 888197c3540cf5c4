/**
 * Finding places of the scene by what a text says: a small panel that lists them, and their outlines on the map.
 * @typedef {{bbox: [number, number, number, number], score: number}} Hit corners x0, y0, x1, y1 in scene pixels
 * @typedef {{hits: Hit[], tiles: number, pending: number, taken: [string, string][], unknown: string[]}} Answer
 */
import { fromCorners } from "../geometry/rect.mjs";
import { h, icon, iconButton, keyed, setText } from "../page/dom.mjs";
import { coordinate } from "../page/format.mjs";
import { NARROW, besidePanel, hasRoomBeside } from "../page/layout.mjs";
import { HitOutlines } from "./hit-outlines.mjs";
import { said } from "./said.mjs";

const TOP = 10;
/** A place that is smaller on the screen is zoomed to, so that one sees what was found. */
const SMALL = 96;
/** As wide as the style sheet has it. */
const WIDE = 272;

export class Finder {
  node = h("section", { class: "find", "aria-label": "Find places", hidden: true });
  outlines = new HitOutlines();
  button = h("button", { type: "button", class: "icon-button", "aria-label": "Find places", title: "Find places that fit a text (Q)", onclick: () => this.toggle() });
  #page;
  #api;
  #text = h("input", { type: "search", "aria-label": "What to find", placeholder: "a lake beside houses", maxlength: "500", required: true });
  #said = h("p", { class: "quiet", role: "status" });
  #list = h("ol", { "aria-label": "Places found, best first" });
  /** @type {Hit[]} */
  #hits = [];
  #chosen = -1;
  /** What bars and the other panel leave free. @type {import("../geometry/view.mjs").Insets} */
  #around = { top: 0, right: 0, bottom: 0, left: 0 };
  /** Of the panel, as it was filled last. */
  #height = 0;
  /** Scene and revision that were searched. */
  #searched = { scene: "", revision: 0 };
  /** Counts searches, so that a late answer to a former one is known as such. */
  #search = 0;

  /** @param {import("../scene-canvas.mjs").Page} page @param {import("../scene/transport.mjs").Api} api */
  constructor(page, api) {
    this.#page = page;
    this.#api = api;
    this.button.append(icon("find"));
    const submit = (event) => {
      event.preventDefault();
      void this.find();
    };
    const head = h("form", { onsubmit: submit }, this.#text, h("button", { type: "submit", class: "primary" }, "Find"), iconButton("close", "Close", () => this.toggle()));
    this.node.append(head, this.#said, this.#list);
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.toggle();
    });
  }

  /** Open it, ready to type, or close it; what was found is forgotten then. */
  toggle() {
    this.node.hidden = !this.node.hidden;
    this.button.setAttribute("aria-pressed", String(!this.node.hidden));
    document.body.classList.toggle("t2e-finding", !this.node.hidden);
    this.#show([], "");
    if (this.node.hidden) this.#page.surface.focus();
    else this.#text.select();
    this.#page.redraw();
  }

  /** Search, again and again until every tile was looked at: what is found so far is shown meanwhile. */
  async find() {
    const text = this.#text.value.trim();
    const { sceneId, state } = this.#page;
    if (!text || !state.scene) return;
    const search = ++this.#search;
    this.#searched = { scene: sceneId, revision: state.scene.revision };
    setText(this.#said, "Looking …");
    try {
      let pending = 1;
      while (pending) {
        /** @type {Answer} */
        const answer = await this.#api.post(`/scenes/${sceneId}/find`, { text, top: TOP });
        if (search !== this.#search || sceneId !== this.#page.sceneId) return;
        this.#show(answer.hits, said(answer));
        pending = answer.pending;
      }
    } catch (error) {
      if (search === this.#search) this.#show([], error.message);
    }
  }

  /** What is free while it is open. @param {import("../geometry/view.mjs").Insets} around what is free without it @param {number} width of the window */
  beside(around, width) {
    this.#around = around;
    return this.node.hidden ? around : besidePanel(width, around, { w: WIDE, h: this.#height });
  }

  /** Keep the panel beside the rail and the outlines on their places. @param {import("../geometry/view.mjs").View} view */
  place(view) {
    if (this.node.hidden) return;
    const { sceneId, state } = this.#page;
    if (this.#hits.length && sceneId !== this.#searched.scene) this.#show([], "");
    else if (this.#hits.length && state.scene?.revision !== this.#searched.revision) setText(this.#said, "The scene has changed since: find again.");
    const { left, top, bottom } = this.#around;
    // Where it lies over the map it leaves more than half of it; in a narrow window the style sheet has it at the bottom.
    const share = hasRoomBeside(view.width, this.#around, WIDE) ? 1 : 0.45;
    const wide = view.width > NARROW;
    this.node.style.transform = wide ? `translate(${left + 4}px, ${top + 4}px)` : "";
    this.node.style.maxHeight = wide ? `${Math.max(160, share * (view.height - top - bottom) - 16)}px` : "";
    this.outlines.place(view, this.#hits, this.#chosen);
  }

  /** @param {Hit[]} hits @param {string} words */
  #show(hits, words) {
    if (!hits.length) this.#search++;
    this.#hits = hits;
    this.#chosen = -1;
    setText(this.#said, words);
    this.#rows();
    this.#height = this.node.offsetHeight;
    this.outlines.place(this.#page.view, hits, -1);
  }

  #rows() {
    const rows = this.#hits.map((hit, index) => ({ hit, index, chosen: index === this.#chosen }));
    keyed(this.#list, rows, ({ hit }) => hit.bbox.join(), ({ hit }) => this.#row(hit));
  }

  /** @param {Hit} hit */
  #row(hit) {
    const [x, y] = hit.bbox;
    const size = this.#page.state.scene?.resolution ?? 1;
    const number = h("span", { class: "number" });
    const score = h("span", { class: "quiet" });
    const picture = h("img", { alt: "", loading: "lazy", src: `api/scenes/${this.#page.sceneId}/tiles/rgb/0/${Math.floor(x / 256)}/${Math.floor(y / 256)}.webp` });
    const place = h("span", { class: "place" }, `x ${coordinate(x * size, size)}, y ${coordinate(y * size, size)}`);
    const go = h("button", { type: "button", title: "Show the place" }, number, picture, place, score);
    const row = h("li", {}, go);
    let now = 0;
    go.addEventListener("click", () => this.#jump(now));
    const update = ({ hit: { score: cosine }, index, chosen }) => {
      now = index;
      setText(number, String(index + 1));
      setText(score, cosine.toFixed(2));
      if (chosen) go.setAttribute("aria-current", "true");
      else go.removeAttribute("aria-current");
    };
    return Object.assign(row, { update });
  }

  /** @param {number} index */
  #jump(index) {
    const { view } = this.#page;
    const rect = fromCorners(this.#hits[index].bbox);
    this.#chosen = index;
    this.#rows();
    const side = Math.max(rect.w, rect.h) * view.scale;
    if (side < SMALL) view.zoomMiddle((2 * SMALL) / side);
    this.#page.lookAt(rect.x + rect.w / 2, rect.y + rect.h / 2);
  }
}
