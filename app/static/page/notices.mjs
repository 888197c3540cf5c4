/** One-sentence messages at the bottom of the map, announced to screen readers. */
import { h, iconButton } from "./dom.mjs";

const MOST = 3;

export class Notices {
  node = h("div", { class: "notices", role: "status", "aria-live": "polite" });

  /**
   * @param {string} sentence @param {{error?: boolean, action?: {label: string, run: () => void}, seconds?: number}} [options]
   */
  show(sentence, { error = false, action, seconds = error ? 0 : 6 } = {}) {
    for (const other of [...this.node.children]) {
      if (other.getAttribute("data-sentence") === sentence) other.remove();
    }
    const notice = h("div", { class: error ? "notice error" : "notice", "data-sentence": sentence }, h("span", {}, sentence));
    const close = () => notice.remove();
    if (action) {
      const run = () => {
        close();
        action.run();
      };
      notice.append(h("button", { type: "button", class: "link", onclick: run }, action.label));
    }
    notice.append(iconButton("close", "Dismiss", close));
    this.node.append(notice);
    while (this.node.children.length > MOST) this.node.firstElementChild.remove();
    if (seconds) setTimeout(close, seconds * 1000);
  }

  clear() {
    this.node.replaceChildren();
  }
}
