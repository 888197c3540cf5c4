/** Light or dark: as the system is, or as it was chosen, which is kept (page/theme-first.js has it before the first drawing). */
const KEY = "text2earth.theme";

/** @typedef {"system"|"light"|"dark"} Choice */

/** @type {Record<Choice, {next: Choice, icon: import("./dom.mjs").IconName, label: string}>} */
export const CHOICES = {
  system: { next: "light", icon: "system", label: "Theme: as the system" },
  light: { next: "dark", icon: "sun", label: "Theme: light" },
  dark: { next: "system", icon: "moon", label: "Theme: dark" },
};

/** @param {string|null} kept @returns {Choice} */
export function choiceOf(kept) {
  return kept === "light" || kept === "dark" ? kept : "system";
}

/** @param {Choice} choice @param {boolean} system whether the system is dark */
export function isDark(choice, system) {
  return choice === "system" ? system : choice === "dark";
}

export class ThemeChoice {
  #dark = matchMedia("(prefers-color-scheme: dark)");
  #storage;
  /** @type {Choice} */
  choice;

  /** @param {Storage} storage */
  constructor(storage) {
    this.#storage = storage;
    try {
      this.choice = choiceOf(storage.getItem(KEY));
    } catch {
      this.choice = "system"; // a browser that refuses storage
    }
  }

  /** Gradio sets the class too, by the system alone. @param {AbortSignal} signal ends the watching */
  watch(signal) {
    const observer = new MutationObserver(() => this.apply());
    observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    this.#dark.addEventListener("change", () => this.apply(), { signal });
    signal.addEventListener("abort", () => observer.disconnect());
    this.apply();
  }

  apply() {
    document.body.classList.toggle("dark", isDark(this.choice, this.#dark.matches));
  }

  next() {
    this.choice = CHOICES[this.choice].next;
    try {
      if (this.choice === "system") this.#storage.removeItem(KEY);
      else this.#storage.setItem(KEY, this.choice);
    } catch {
      // It holds until the page is left.
    }
    this.apply();
  }
}
