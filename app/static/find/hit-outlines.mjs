/** The outlines of places that were found, with their numbers, over the map. */
import { fromCorners, intersect } from "../geometry/rect.mjs";
import { h, keyed, setText } from "../page/dom.mjs";

export class HitOutlines {
  node = h("div", { class: "hits", "aria-hidden": "true" });

  /** @param {import("../geometry/view.mjs").View} view @param {import("./finder.mjs").Hit[]} hits best first @param {number} chosen index, -1 for none */
  place(view, hits, chosen) {
    const visible = view.visible();
    const places = hits.map(({ bbox }, index) => ({ rect: fromCorners(bbox), index, chosen: index === chosen }));
    const inSight = places.filter(({ rect }) => intersect(rect, visible));
    keyed(this.node, inSight, ({ index }) => String(index), () => this.#outline(view));
  }

  /** @param {import("../geometry/view.mjs").View} view */
  #outline(view) {
    const number = h("span");
    const outline = h("div", { class: "hit" }, number);
    const update = ({ rect, index, chosen }) => {
      const { x, y, w, h: height } = view.rectToScreen(rect);
      outline.style.transform = `translate(${x}px, ${y}px)`;
      outline.style.width = `${w}px`;
      outline.style.height = `${height}px`;
      outline.classList.toggle("chosen", chosen);
      setText(number, String(index + 1));
    };
    return Object.assign(outline, { update });
  }
}
