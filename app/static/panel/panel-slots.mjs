/**
 * What the module shows inside the panel: notes about the prompt, the queue. The panel itself belongs to
 * Gradio and may be built after us, so slots are looked up when there is something to show.
 * @typedef {import("../scene/store.mjs").Job} Job
 * @typedef {import("../page/dom.mjs").Row<Job> & {order: (former: Job|undefined, next: Job|undefined) => void}} JobRow
 */
import { h, iconButton, keyed, setText } from "../page/dom.mjs";
import { bytes, duration } from "../page/format.mjs";
import { layerWords } from "../layers/layers.mjs";
import { isOpen } from "../scene/store.mjs";

const CANCELLED = "What was done is kept: Retry goes on there.";

/** @param {string} name @returns {Element|null} */
export function slot(name) {
  return document.querySelector(`[data-t2e-slot="${name}"]`);
}

/** @param {{unknown: string[], taken: [string, string][], cut: string, limit: number}|null} report answer of the prompt check */
export function showPromptNotes(report) {
  const place = slot("prompt-notes");
  if (!place) return;
  const notes = (report?.taken ?? []).map(([word, wording]) => h("p", {}, h("strong", {}, word), " is taken as: ", h("q", {}, wording)));
  if (report?.unknown.length) {
    const words = report.unknown.flatMap((word, n) => [n ? ", " : "", h("span", { class: "unknown-word" }, word)]);
    const plural = report.unknown.length > 1;
    notes.push(h("p", {}, `This model has not seen the word${plural ? "s" : ""} `, ...words, plural ? ": they will do little." : ": it will do little."));
  }
  if (report?.cut) notes.push(h("p", {}, `Too long: only ${report.limit} tokens are read. Left out: `, h("q", {}, report.cut)));
  place.replaceChildren(...notes);
}

export class QueueList {
  #actions;

  /** @param {{cancel: (id: string) => void, retry: (id: string) => void, move: (id: string, position: number) => void,
   *   dismiss: (id: string) => void, download: (id: string) => void, look: (frame: [number, number, number, number]) => void}} actions */
  constructor(actions) {
    this.#actions = actions;
  }

  /** @param {import("../scene/store.mjs").State} state */
  update(state) {
    const place = slot("queue");
    if (!place) return;
    place.closest("#t2e-queue-section")?.classList.toggle("is-empty", state.jobs.length === 0);
    const queued = state.jobs.filter((job) => job.state === "queued");
    keyed(place, state.jobs, (job) => job.id, (job) => this.#row(job));
    // Jobs of other scenes may wait between them: the place to move to is that of the neighbour, not the next number.
    for (const row of /** @type {JobRow[]} */ ([...place.children])) {
      const at = queued.findIndex((job) => job.id === row.dataset.key);
      row.order(at < 0 ? undefined : queued[at - 1], at < 0 ? undefined : queued[at + 1]);
    }
  }

  #row(job) {
    const { cancel, retry, move, dismiss, download, look } = this.#actions;
    const name = h("button", { type: "button", class: "row-name", title: "Show the place", onclick: () => job.request.frame && look(job.request.frame) });
    const state = h("span", { class: "row-state" });
    const note = h("p", { class: "row-note" });
    const bar = h("span", { class: "row-bar" });
    let current = job;
    let before, after;
    const earlier = iconButton("up", "Earlier", () => move(job.id, before.position));
    const later = iconButton("down", "Later", () => move(job.id, after.position));
    const again = iconButton("retry", "Retry", () => retry(job.id));
    const fetch = iconButton("export", "Download", () => download(job.id));
    const stop = iconButton("close", "Cancel", () => (isOpen(current) ? cancel(job.id) : dismiss(job.id)));
    const row = h("li", { class: "job-row" }, h("div", { class: "row-line" }, name, state, earlier, later, again, fetch, stop), bar, note);
    const update = (now) => {
      current = now;
      setText(name, jobName(now));
      setText(state, stateText(now));
      bar.style.width = now.state === "running" ? `${(100 * now.step) / Math.max(1, now.steps)}%` : "0";
      setText(note, now.error ?? (now.state === "cancelled" ? CANCELLED : now.notes.join(" ")));
      row.dataset.state = now.state;
      again.hidden = isOpen(now) || now.state === "done";
      fetch.hidden = !now.download;
      const label = isOpen(now) ? "Cancel" : "Dismiss";
      stop.setAttribute("aria-label", `${label}: ${jobName(now)}`);
      stop.title = label;
    };
    const order = (former, next) => {
      [before, after] = [former, next];
      earlier.hidden = !former;
      later.hidden = !next;
    };
    return Object.assign(row, { update, order });
  }
}

/** @param {import("../scene/store.mjs").Job} job */
function stateText({ state, step, steps, eta, result }) {
  const left = eta === null ? "" : `, ${duration(eta)}`;
  if (state === "running") return `${step}/${steps}${left}`;
  if (state === "done") return `ready, ${bytes(result.bytes)}`;
  return state === "queued" ? `queued${left}` : state;
}

/** @param {import("../scene/store.mjs").Job} job */
function jobName(job) {
  return `${layerWords(job.request)}${job.request.prompt || job.request.title || "(no prompt)"}`;
}
