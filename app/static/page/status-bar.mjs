/** Numbers along the bottom: place under the pointer, resolution, scale bar, zoom, extent, jobs, model. */
import { h, setText } from "./dom.mjs";
import { area, coordinate, duration, length, resolution, scaleBar, short, zoom } from "./format.mjs";
import { isOpen, modelInfo, secondsLeft } from "../scene/store.mjs";

const BAR = 110;

export class StatusBar {
  node = h("div", { class: "status-bar", role: "contentinfo", "aria-label": "Status" });
  #pointer = h("button", { type: "button", class: "cell pointer", title: "Go to a coordinate (G)" });
  #resolution = h("span", { class: "cell resolution" });
  #bar = h("span", { class: "bar" });
  #barText = h("span", {});
  #zoom = h("button", { type: "button", class: "cell zoom", title: "100 % (1)" });
  #extent = h("span", { class: "cell extent" });
  #measured = h("span", { class: "cell measured", role: "status" });
  #jobs = h("span", { class: "cell jobs" });
  #model = h("span", { class: "cell model" });

  #earth;

  /** @param {import("./earth-place.mjs").EarthPlace} earth @param {() => void} goTo @param {() => void} actualSize */
  constructor(earth, goTo, actualSize) {
    this.#earth = earth;
    this.#pointer.addEventListener("click", goTo);
    this.#zoom.addEventListener("click", actualSize);
    const scale = h("span", { class: "cell scale", "aria-hidden": "true" }, this.#barText, this.#bar);
    this.node.append(this.#pointer, this.#resolution, scale, this.#zoom, this.#extent, this.#measured, h("span", { class: "space" }), this.#jobs, this.#model);
  }

  /**
   * @param {import("../scene/store.mjs").State} state @param {import("../geometry/view.mjs").View} view
   * @param {{x: number, y: number}|null} pointer scene pixels, null while the pointer is elsewhere @param {string} measured "" where nothing is
   */
  update(state, view, pointer, measured) {
    const metres = state.scene?.resolution ?? 1;
    const place = pointer ?? { x: view.cx, y: view.cy };
    const text = (value) => coordinate(value * metres, metres);
    const [x, y] = [Math.floor(place.x), Math.floor(place.y)];
    setText(this.#pointer, this.#earth.text(state.scene, x, y) ?? `x ${text(x)}   y ${text(y)}`);
    setText(this.#resolution, state.scene ? `${resolution(metres)}${state.scene.empty ? "" : " (fixed)"}` : "");
    const bar = scaleBar(metres / view.scale, BAR);
    setText(this.#barText, length(bar.metres));
    this.#bar.style.width = `${Math.round(bar.pixels)}px`;
    setText(this.#zoom, zoom(view.scale));
    const bounds = state.scene?.bounds;
    const extent = bounds && `${length(bounds[2] * metres)} × ${length(bounds[3] * metres)} · ${area(bounds[2] * bounds[3] * metres * metres)}`;
    setText(this.#extent, extent ?? "");
    setText(this.#measured, measured);
    const open = state.jobs.filter(isOpen);
    const left = secondsLeft(state);
    const jobs = open.length === 0 ? "no jobs" : `${open.length} ${open.length === 1 ? "job" : "jobs"}${left === null ? "" : ` · ${duration(left)}`}`;
    setText(this.#jobs, jobs);
    setText(this.#model, this.#modelText(state));
    this.#model.classList.toggle("bad", state.model.state === "failed" || !state.connected);
  }

  #modelText(state) {
    if (state.deleted) return "";
    if (!state.connected) return "connecting to the server …";
    const { fetching } = state.model;
    if (fetching) return `fetching a model, ${Math.floor((100 * fetching.bytes) / fetching.of)} %`;
    if (state.model.state === "loading") return "loading the model …";
    if (state.model.state === "failed") return state.model.error ?? "the model could not be loaded";
    const info = modelInfo(state);
    const { fast, quality } = state.model.seconds_per_step;
    const seconds = fast ? fast * info.fast_steps : quality && quality * info.steps;
    return `${info.name} on ${info.device === "cuda" ? "GPU" : "CPU"}${seconds ? `, ${short(seconds)} s a window` : ""}`;
  }
}
