/**
 * Candidates: shown in their place on the map, compared side by side in time, accepted or discarded. One batch is open at
 * a time, the oldest that waits.
 * @typedef {{id: number, batch: string, number: number, created: string, request: import("../scene/store.mjs").Wanted, rect: [number, number, number, number]}} Candidate
 */
import { h, iconButton, keyed, setText } from "../page/dom.mjs";
import { fromXYWH } from "../geometry/rect.mjs";
import { isOpen } from "../scene/store.mjs";

/** An accepted candidate stays drawn at least this long: until the page has heard of the tiles that replace it. */
const SETTLE_MS = 400;
/** Between the candidates and their place. */
const GAP = 12;

export class Staging {
  node = h("div", { class: "staging", role: "group", "aria-label": "Candidates", hidden: true });
  /** B is held: what was there before. */
  before = false;
  #page;
  #count = h("span", { class: "count", role: "status" });
  #thumbs = h("div", { class: "thumbs", role: "listbox", "aria-label": "Candidates" });
  #coming = h("div", { class: "thumbs", "aria-hidden": "true" });
  #hold;
  #batch = "";
  #chosen = 0;
  /** @type {Map<number, ImageBitmap|null>} null while it is on its way */
  #pictures = new Map();
  /** @type {{rect: import("../geometry/rect.mjs").Rect, bitmap: ImageBitmap, since: number}|null} */
  #settling = null;

  /** @param {import("../scene-canvas.mjs").Page} page */
  constructor(page) {
    this.#page = page;
    const compare = h("button", { type: "button", class: "text-button plain", title: "Hold to see what was there (B)" }, "Before");
    compare.addEventListener("pointerdown", () => this.show(true));
    for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) compare.addEventListener(name, () => this.show(false));
    compare.addEventListener("keydown", (event) => event.key === " " && this.show(true));
    compare.addEventListener("keyup", (event) => event.key === " " && this.show(false));
    this.#hold = compare;
    this.node.append(
      h("div", { class: "all-thumbs" }, this.#thumbs, this.#coming),
      h(
        "div",
        { class: "row" },
        iconButton("left", "Previous candidate", () => this.step(-1), "Left arrow"),
        this.#count,
        iconButton("right", "Next candidate", () => this.step(1), "Right arrow"),
        compare,
        h("button", { type: "button", class: "text-button plain", title: "Discard all of them (Esc)", onclick: () => this.discard() }, "Discard"),
        h("button", { type: "button", class: "primary", title: "Accept this one (Enter)", onclick: () => this.accept() }, "Accept"),
      ),
    );
  }

  /** The candidates of the open batch. @returns {Candidate[]} */
  get #batchNow() {
    return this.#page.state.candidates.filter((candidate) => candidate.batch === this.#batch);
  }

  get open() {
    return this.#batch !== "";
  }

  /** @returns {Candidate|null} */
  get chosen() {
    return this.#batchNow[this.#chosen] ?? null;
  }

  /** Whether a job has candidates on show. @param {string} job */
  shows(job) {
    return this.open && this.#batch === job;
  }

  /** The server's list has changed, or a job that makes candidates. */
  update() {
    const { candidates } = this.#page.state;
    const batch = candidates.some((candidate) => candidate.batch === this.#batch) ? this.#batch : candidates[0]?.batch ?? "";
    if (batch !== this.#batch) {
      this.#batch = batch;
      this.#chosen = 0;
      this.before = false;
    }
    const ids = new Set(candidates.map((candidate) => candidate.id));
    for (const [id, bitmap] of this.#pictures) {
      if (ids.has(id) || bitmap === this.#settling?.bitmap) continue;
      bitmap?.close();
      this.#pictures.delete(id);
    }
    const now = this.#batchNow;
    this.#chosen = Math.min(this.#chosen, Math.max(0, now.length - 1));
    for (const candidate of now) void this.#fetch(candidate);
    this.#page.map.dropPreview(this.#batch); // of the candidate that is made next
    this.#show(now.length > 0);
    keyed(this.#thumbs, now, (candidate) => String(candidate.id), (candidate) => this.#thumb(candidate));
    for (const [n, thumb] of [...this.#thumbs.children].entries()) thumb.setAttribute("aria-selected", String(n === this.#chosen));
    const job = this.#page.state.jobs.find((one) => one.id === this.#batch);
    const coming = job && isOpen(job) ? Math.max(0, job.request.variations - now.length) : 0;
    keyed(this.#coming, Array.from({ length: coming }, (_, n) => String(n)), (n) => n, () => Object.assign(h("span", { class: "thumb coming" }), { update: () => {} }));
    setText(this.#count, now.length ? `${this.#chosen + 1} of ${now.length}${coming ? `, ${coming} more coming` : ""}` : "");
  }

  #thumb(candidate) {
    const source = `api/scenes/${this.#page.sceneId}/candidates/${candidate.id}.webp`;
    const label = `Candidate ${candidate.number + 1}, seed ${candidate.request.seed}`;
    const image = h("img", { src: source, alt: "", draggable: "false" });
    const thumb = h("button", { type: "button", role: "option", class: "thumb", "aria-label": label, title: label }, image);
    thumb.addEventListener("click", () => this.choose(this.#batchNow.findIndex((other) => other.id === candidate.id)));
    return Object.assign(thumb, { update: () => {} });
  }

  async #fetch({ id }) {
    if (this.#pictures.has(id)) return;
    this.#pictures.set(id, null);
    const bitmap = await this.#page.api.picture(`/scenes/${this.#page.sceneId}/candidates/${id}.webp`).catch(() => null);
    if (!bitmap) return void this.#pictures.delete(id);
    if (!this.#page.state.candidates.some((candidate) => candidate.id === id)) return bitmap.close();
    this.#pictures.set(id, bitmap);
    this.#page.redraw();
  }

  /** @param {number} index */
  choose(index) {
    this.#chosen = index;
    this.before = false;
    this.update();
    this.#page.redraw();
  }

  /** @param {number} by -1 or 1; goes round */
  step(by) {
    const count = this.#batchNow.length;
    if (count) this.choose((this.#chosen + by + count) % count);
  }

  /** @param {boolean} before whether what was there is shown */
  show(before) {
    if (this.before === before) return;
    this.before = before;
    this.#hold.classList.toggle("held", before);
    this.#page.redraw();
  }

  async accept() {
    const { chosen } = this;
    if (!chosen) return;
    const bitmap = this.#pictures.get(chosen.id);
    await this.#page.actions.edits.acceptCandidate(chosen, (on) => {
      this.#settling = on && bitmap ? { rect: fromXYWH(chosen.rect), bitmap, since: performance.now() } : null;
    });
  }

  discard() {
    const { chosen } = this;
    return chosen ? this.#page.actions.edits.discardCandidates(chosen) : undefined;
  }

  /** @param {CanvasRenderingContext2D} context @param {import("../geometry/view.mjs").View} view @returns {boolean} whether to draw again soon */
  draw(context, view, complete, now) {
    if (this.#settling) {
      if (complete && now - this.#settling.since > SETTLE_MS) {
        this.#settling = null;
        this.update();
      } else this.#picture(context, view, this.#settling.rect, this.#settling.bitmap);
    }
    const { chosen } = this;
    const bitmap = chosen && this.#pictures.get(chosen.id);
    if (bitmap && !this.before) this.#picture(context, view, fromXYWH(chosen.rect), bitmap);
    return this.#settling !== null;
  }

  #picture(context, view, rect, bitmap) {
    const r = view.rectToScreen(rect);
    context.drawImage(bitmap, r.x, r.y, r.w, r.h);
  }

  /** Beside the place where there is room, otherwise under it, within what is free. @param {import("../geometry/view.mjs").View} view @param {import("../geometry/rect.mjs").Rect} free */
  place(view, free) {
    const { chosen } = this;
    if (!chosen) return;
    const r = view.rectToScreen(fromXYWH(chosen.rect));
    const [width, height] = [this.node.offsetWidth, this.node.offsetHeight];
    const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
    const beside = [r.x + r.w + GAP, r.x - GAP - width].find((left) => left >= free.x && left + width <= free.x + free.w);
    const x = beside ?? clamp(r.x + r.w / 2 - width / 2, free.x + 4, free.x + free.w - width - 4);
    const y = clamp(beside === undefined ? r.y + r.h + GAP : r.y, free.y + 4, free.y + free.h - height - 4);
    this.node.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  /** Bitmaps held. */
  get size() {
    return [...this.#pictures.values()].filter(Boolean).length;
  }

  clear() {
    for (const bitmap of this.#pictures.values()) bitmap?.close();
    this.#pictures.clear();
    this.#settling = null;
    this.#batch = "";
    this.#show(false);
    this.#thumbs.replaceChildren();
  }

  /** @param {boolean} open on a narrow window the panel gives way to what is chosen from */
  #show(open) {
    this.node.hidden = !open;
    document.body.classList.toggle("t2e-choosing", open);
    this.#page.redraw();
  }
}
