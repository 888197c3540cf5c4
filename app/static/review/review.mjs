/** The review: a sample of captions, one at a time, and what a person says of each. */
import { h, iconButton, setText } from "../page/dom.mjs";
import { CHOICES, ThemeChoice } from "../page/theme-choice.mjs";
import { card, correction, rejection } from "./card.mjs";
import { about, judge, sample } from "./rows.mjs";

/** @typedef {import("./rows.mjs").Row} Row @typedef {import("./rows.mjs").Verdict} Verdict */

const KINDS = { doubtful: "Doubtful", unseen: "Not seen yet", all: "All", accepted: "Accepted", corrected: "Corrected", rejected: "Rejected" };
const KEYS = [["A", "accept"], ["E", "correct (Ctrl+Enter saves)"], ["R", "reject (Enter saves)"], ["← →", "the one before, the next"], ["N", "another sample"], ["Esc", "leave a form"], ["?", "this list"]];

class Review {
  /** @type {Row[]} */
  #rows = [];
  #at = 0;
  #seed = 0;
  #images = false;
  /** @type {Record<string, string>} */
  #legend = {};
  #busy = false;
  #theme = new ThemeChoice(localStorage);

  /** @param {HTMLElement} root */
  constructor(root) {
    this.kind = h("select", { onchange: () => this.draw() });
    this.fault = h("select", { onchange: () => this.draw() });
    this.faultChoice = h("label", { class: "choice" }, "Fault", this.fault);
    this.file = h("span", { class: "file" });
    this.themeButton = iconButton("system", "Theme", () => this.#nextTheme());
    this.main = h("main", { tabindex: -1 });
    this.notice = h("p", { class: "notice", role: "alert" });
    this.count = h("span", { class: "count", "aria-live": "polite" });
    this.accept = this.#verdict("Accept", "A", () => this.#judge({ verdict: "accepted" }));
    this.accept.classList.add("primary");
    this.correct = this.#verdict("Correct", "E", () => this.#open(correction));
    this.reject = this.#verdict("Reject", "R", () => this.#open(rejection));
    this.before = iconButton("left", "The one before", () => this.#go(-1), "←");
    this.next = iconButton("right", "The next", () => this.#go(1), "→");
    this.sheet = this.#sheet();
    root.append(
      h(
        "header",
        { class: "bar" },
        h("h1", { class: "brand" }, "Text2Earth captions"),
        h("label", { class: "choice" }, "Show", this.kind),
        this.faultChoice,
        this.file,
        h("span", { class: "space" }),
        iconButton("retry", "Another sample", () => this.#another(), "N"),
        this.themeButton,
        iconButton("help", "Keys", () => this.sheet.showModal(), "?"),
      ),
      this.main,
      h(
        "footer",
        { class: "bar" },
        this.before,
        this.count,
        this.next,
        h("span", { class: "verdicts" }, this.accept, this.correct, this.reject),
        this.notice,
      ),
      this.sheet,
    );
    document.addEventListener("keydown", (event) => this.#key(event));
    this.#theme.watch(new AbortController().signal);
    this.#showTheme();
  }

  /** Look at what there is, and begin with what is doubtful, else with what nobody has seen. */
  async start() {
    try {
      const found = await about();
      this.#images = found.images;
      this.#legend = found.legend;
      setText(this.file, `${found.file} · ${found.model}`);
      this.file.title = found.source;
      this.#choices(found);
      this.kind.value = found.kinds.doubtful ? "doubtful" : "unseen";
      await this.draw();
    } catch (error) {
      this.#say(error);
    }
  }

  /** Draw a sample of what is chosen. */
  async draw() {
    const doubtful = this.kind.value === "doubtful" || this.kind.value === "all";
    this.faultChoice.hidden = !doubtful || this.fault.options.length < 2;
    try {
      this.#rows = await sample(this.kind.value, this.faultChoice.hidden ? "" : this.fault.value, this.#seed);
      this.#at = 0;
      this.#say(null);
      this.#show();
    } catch (error) {
      this.#say(error);
    }
  }

  /** @param {import("./rows.mjs").Numbers} found */
  #choices({ kinds, faults }) {
    const [kind, fault] = [this.kind.value, this.fault.value];
    this.kind.replaceChildren(...Object.entries(KINDS).map(([name, label]) => h("option", { value: name }, `${label} (${kinds[name]})`)));
    const several = Object.entries(faults).map(([name, count]) => h("option", { value: name }, `${name} (${count})`));
    this.fault.replaceChildren(h("option", { value: "" }, "any"), ...several);
    if (kind) this.kind.value = kind;
    this.fault.value = fault in faults ? fault : "";
  }

  /** @returns {Row|undefined} */
  get row() {
    return this.#rows[this.#at];
  }

  #show() {
    const row = this.row;
    if (row) this.main.replaceChildren(...card(row, this.#images, this.#legend));
    else {
      const all = this.#rows.length ? "This sample is done." : "There is nothing of this kind.";
      const more = h("button", { type: "button", class: "primary", onclick: () => this.#another() }, "Another sample");
      this.main.replaceChildren(h("div", { class: "empty" }, h("p", {}, all), this.#rows.length > 0 && more));
    }
    this.before.disabled = this.#at === 0;
    this.next.disabled = !row;
    for (const button of [this.accept, this.correct, this.reject]) button.disabled = !row;
    setText(this.count, row ? `${this.#at + 1} of ${this.#rows.length}` : `${this.#rows.length} seen`);
    window.scrollTo(0, 0);
  }

  /** @param {number} step */
  #go(step) {
    const at = this.#at + step;
    if (at < 0 || at > this.#rows.length || !this.#rows.length) return;
    this.#at = at;
    this.#say(null);
    this.#show();
  }

  #another() {
    this.#seed += 1;
    this.draw();
  }

  /** @param {typeof correction} form */
  #open(form) {
    const row = this.row;
    const place = /** @type {HTMLElement|null} */ (this.main.querySelector(".form"));
    if (!row || !place) return;
    place.replaceChildren(...form(row, (verdict) => this.#judge(verdict), () => this.#close()));
    place.hidden = false;
    const field = /** @type {HTMLElement} */ (place.firstElementChild);
    field.focus({ preventScroll: true });
    place.scrollIntoView({ block: "nearest" });
  }

  /** @returns {boolean} whether a form was open */
  #close() {
    const place = /** @type {HTMLElement|null} */ (this.main.querySelector(".form"));
    const open = Boolean(place && !place.hidden);
    if (place) place.hidden = true;
    place?.replaceChildren();
    return open;
  }

  /** @param {Verdict} verdict */
  async #judge(verdict) {
    const row = this.row;
    if (!row || this.#busy) return;
    this.#busy = true;
    try {
      const found = await judge(row.number, verdict);
      this.#rows[this.#at] = found.row;
      this.#choices(found);
      this.#go(1);
    } catch (error) {
      this.#say(error);
    } finally {
      this.#busy = false;
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.sheet.open) return;
    if (event.key === "Escape" && this.#close()) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches("textarea, input, select")) return;
    const act = {
      a: () => this.accept.click(), e: () => this.correct.click(), r: () => this.reject.click(), n: () => this.#another(),
      arrowleft: () => this.#go(-1), arrowright: () => this.#go(1), "?": () => this.sheet.showModal(),
    }[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** @param {unknown} error null clears it */
  #say(error) {
    setText(this.notice, error instanceof Error ? error.message : "");
  }

  #nextTheme() {
    this.#theme.next();
    this.#showTheme();
  }

  #showTheme() {
    const { icon, label } = CHOICES[this.#theme.choice];
    const button = iconButton(icon, label, () => this.#nextTheme());
    this.themeButton.replaceWith(button);
    this.themeButton = button;
  }

  /** @param {string} label @param {string} key @param {() => void} onclick */
  #verdict(label, key, onclick) {
    return h("button", { type: "button", onclick, "aria-keyshortcuts": key }, `${label} `, h("kbd", { "aria-hidden": "true" }, key));
  }

  #sheet() {
    const close = () => this.sheet.close();
    return h(
      "dialog",
      { "aria-labelledby": "keys" },
      h("h2", { id: "keys" }, "Keys"),
      h("dl", {}, ...KEYS.flatMap(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)])),
      h("button", { type: "button", class: "primary", onclick: close }, "Close"),
    );
  }
}

const root = document.getElementById("review");
if (root) new Review(root).start();
