/** Along the top: scene title with its menu, undo and redo, export, help, panel. */
import { h, icon, iconButton, setText } from "./dom.mjs";
import { CHOICES } from "./theme-choice.mjs";

/** @typedef {{label: string, run: () => void, danger?: boolean}|null} MenuItem null is a line between groups */

/** @param {"import"|"export"} image @param {string} text @param {string} title @param {() => void} onclick */
function textButton(image, text, title, onclick) {
  return h("button", { type: "button", class: "text-button", "aria-label": text, title, onclick }, icon(image), h("span", {}, text));
}

export class TopBar {
  node = h("header", { class: "top-bar" });
  #title = h("span", { class: "title" });
  #button;
  #menu;
  #undo;
  #redo;
  #export;
  #theme;
  #turn;

  /**
   * @param {import("./theme-choice.mjs").ThemeChoice} theme
   * @param {{menu: () => MenuItem[], undo: () => void, redo: () => void, goTo: () => void, share: () => void, importPicture: () => void, exportMap: () => void,
   *   help: () => void, panel: () => void}} actions
   */
  constructor(theme, actions) {
    this.#theme = theme;
    this.#turn = iconButton(CHOICES[theme.choice].icon, CHOICES[theme.choice].label, () => this.turnTheme());
    this.#turn.classList.add("theme");
    this.#button = h(
      "button",
      { type: "button", class: "scene-button", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": "Scene menu" },
      this.#title,
      icon("down"),
    );
    this.#menu = h("div", { class: "menu", role: "menu", "aria-label": "Scene", hidden: true });
    this.#button.addEventListener("click", () => (this.#menu.hidden ? this.#open(actions.menu()) : this.close()));
    this.#menu.addEventListener("keydown", (event) => this.#walk(event));
    this.#menu.addEventListener("focusout", (event) => {
      if (!this.#menu.contains(/** @type {Node|null} */ (event.relatedTarget)) && event.relatedTarget !== this.#button) this.close(false);
    });
    this.#undo = iconButton("undo", "Undo", actions.undo, "Ctrl+Z");
    this.#redo = iconButton("redo", "Redo", actions.redo, "Ctrl+Shift+Z");
    this.#export = textButton("export", "Export", "Export a map or a picture", actions.exportMap);
    this.node.append(
      h("span", { class: "brand" }, "Text2Earth"),
      h("div", { class: "scene-box" }, this.#button, this.#menu),
      this.#undo,
      this.#redo,
      h("span", { class: "space" }),
      iconButton("share", "Copy the address of this scene", actions.share),
      iconButton("target", "Go to a coordinate", actions.goTo, "G"),
      textButton("import", "Import", "Import a picture or a map (or drop or paste one)", actions.importPicture),
      this.#export,
      this.#turn,
      iconButton("help", "Keyboard shortcuts", actions.help, "?"),
      iconButton("panel", "Show or hide the panel", actions.panel, "P"),
    );
  }

  /** As the system, light, dark, in turn. */
  turnTheme() {
    this.#theme.next();
    const { icon: image, label } = CHOICES[this.#theme.choice];
    this.#turn.replaceChildren(icon(image));
    this.#turn.title = label;
    this.#turn.setAttribute("aria-label", label);
  }

  /** @param {import("../scene/store.mjs").State} state */
  update(state) {
    setText(this.#title, state.scene?.title ?? "…");
    document.title = state.scene ? `${state.scene.title} · Text2Earth` : "Text2Earth";
    this.#undo.disabled = !state.scene?.can_undo;
    this.#redo.disabled = !state.scene?.can_redo;
    this.#export.disabled = !state.scene || state.scene.empty;
  }

  /** @param {MenuItem[]} items */
  #open(items) {
    this.#menu.replaceChildren(
      ...items.map((item) => {
        if (!item) return h("hr");
        const run = () => {
          this.close();
          item.run();
        };
        return h("button", { type: "button", role: "menuitem", class: item.danger ? "danger-text" : "", onclick: run }, item.label);
      }),
    );
    this.#menu.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
    this.#menu.querySelector("button")?.focus();
  }

  /** @param {boolean} refocus whether the focus goes back to the button */
  close(refocus = true) {
    if (this.#menu.hidden) return;
    this.#menu.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    if (refocus) this.#button.focus();
  }

  /** @param {KeyboardEvent} event arrow keys move through the menu */
  #walk(event) {
    const buttons = [...this.#menu.querySelectorAll("button")];
    const at = buttons.findIndex((button) => button === document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) buttons[(at + step + buttons.length) % buttons.length].focus();
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
