/** Asks how large a picture is on the ground and where it goes, and shows what it will become. */
import { open } from "./dialogs.mjs";
import { h } from "../page/dom.mjs";
import { ImportBands } from "../layers/import-bands.mjs";
import { length, short } from "../page/format.mjs";

/**
 * @typedef {{file: string, name: string, width: number, height: number, bands: number, dtype: string, alpha: boolean, names?: string[], layers?: Record<string, number[]>, crs: string|null,
 *   resolution: number|null, rect: number[]|null, placed: boolean, why: string|null}} Picture what the server tells of a received file
 *   `why` its own place cannot be used, null where it can or names none
 * @typedef {{resolution: number|null, at: number[]|null, bands: number[]|null, layer: string|null, adopted: number|null}} Wish null leaves it to the file;
 *   `adopted` is the resolution that the empty scene takes from the picture, m/px
 */

/** m/px that a scene can have. */
const FINEST = 0.25;
const COARSEST = 128;

/** Size in the scene, px. @param {Picture} picture @param {number} resolution m/px of the picture @param {number} scene m/px */
export function sizeInScene(picture, resolution, scene) {
  return { w: Math.max(1, Math.round((picture.width * resolution) / scene)), h: Math.max(1, Math.round((picture.height * resolution) / scene)) };
}

/**
 * Whether bands have to be chosen ("named"), can be ("offered": none leaves it to the file), or there is nothing to choose.
 * @param {{bands: number, alpha: boolean}} picture @returns {"named"|"offered"|null}
 */
export function bandsAsked({ bands, alpha }) {
  return bands > 4 ? "named" : alpha ? "offered" : null;
}

/** @param {string} text such as "7, 5, 3" @returns {number[]|null} */
export function parseBands(text) {
  const numbers = text.split(/[,;\s]+/).filter(Boolean).map(Number);
  return [1, 3].includes(numbers.length) && numbers.every((n) => Number.isInteger(n) && n > 0) ? numbers : null;
}

/** Whether a rectangle x, y, w, h touches what a scene holds. @param {number[]|null} bounds @param {number[]} rect */
export function isTaken(bounds, [x, y, w, h]) {
  return Boolean(bounds) && x < bounds[0] + bounds[2] && bounds[0] < x + w && y < bounds[1] + bounds[3] && bounds[1] < y + h;
}

/**
 * @param {HTMLElement} host @param {Picture} picture @param {import("../scene/store.mjs").Scene} scene
 * @param {{x: number, y: number}} middle scene px where it was dropped, or the middle of the window
 * @param {(wish: Wish) => Promise<void>} send throws an error with a sentence, which is shown in the dialog
 * @returns {Promise<boolean>} whether it was sent
 */
export function importDialog(host, picture, scene, middle, send) {
  return new Promise((resolve) => {
    let sent = false;
    const beside = scene.bounds ? [scene.bounds[0] + scene.bounds[2], scene.bounds[1]] : [0, 0];
    const size = h("input", {
      type: "number", step: "any", min: "0.0001", required: true, value: picture.resolution ? short(picture.resolution) : short(scene.resolution),
      title: "How many metres of ground one pixel of the picture shows",
    });
    const asked = bandsAsked(picture);
    const bands = h("input", {
      type: "text", value: asked === "named" ? "1, 2, 3" : "", placeholder: "as the file says", autocomplete: "off",
      title: "Red, green, blue; or one band as grey. Where bands are named, transparency hides nothing.",
    });
    const typed = asked && h("label", {}, h("span", {}, `Bands as red, green, blue (1 to ${picture.bands})${asked === "offered" ? "; named, none counts as transparency" : ""}`), bands);
    const into = new ImportBands(picture, typed);
    /** Whether anything lies there in the layers that it goes into. @param {number[]} rect */
    const covers = (rect) => into.layers.some((layer) => isTaken(scene.layer_bounds[layer] ?? null, rect));
    const choice = (value, label, about, checked, name = "t2e-at", disabled = false) =>
      h("label", { class: "choice" }, h("input", { type: "radio", name, value, checked, disabled }), h("b", {}, label), h("small", {}, about));
    const aboutOwn = picture.why ?? `${picture.crs ?? "where it was exported from"}${covers(picture.rect ?? [0, 0, 0, 0]) ? "; replaces what is there" : ""}`;
    const named = picture.placed || picture.why;
    const own = named ? [choice("own", picture.crs ? "At its place on Earth" : "At its own place", aboutOwn, picture.placed, "t2e-at", !picture.placed)] : [];
    const around = sizeInScene(picture, picture.resolution ?? scene.resolution, scene.resolution);
    const free = !covers([middle.x - around.w / 2, middle.y - around.h / 2, around.w, around.h]);
    const aside = !picture.placed && (scene.empty || !free);
    const asPicture = h("small", {});
    const adopting = scene.empty && h(
      "fieldset",
      {},
      h("legend", {}, "Resolution of the scene, which is still empty"),
      h("label", { class: "choice" }, h("input", { type: "radio", name: "t2e-metres", value: "picture", checked: true }), h("b", {}, "As the picture"), asPicture),
      choice("scene", "As it is now", `${short(scene.resolution)} m/px`, false, "t2e-metres"),
    );
    const summary = h("p", { class: "quiet", "aria-live": "polite" });
    const complaint = h("p", { class: "complaint", role: "alert" });
    const go = h("button", { type: "submit", class: "primary" }, "Import");
    const unknown = picture.resolution === null ? "The file does not say it." : `The file says ${short(picture.resolution)} m/px.`;
    const form = h(
      "form",
      { class: "wide", novalidate: true },
      h("p", { class: "file" }, h("b", {}, picture.name), h("small", {}, `${picture.width} × ${picture.height} px, ${picture.bands} band${picture.bands > 1 ? "s" : ""} of ${picture.dtype}`)),
      h("label", {}, h("span", {}, `Size of its pixels, metres. ${unknown}`), size),
      into.node,
      typed,
      h(
        "fieldset",
        {},
        h("legend", {}, "Place"),
        ...own,
        choice("here", "Here", `around the pointer, or in the middle of the view${free ? "" : "; replaces what is there"}`, !picture.placed && !aside),
        choice("beside", scene.empty ? "At the origin" : "Beside the scene", scene.empty ? "upper left corner at 0, 0" : "to the right of what is there", aside),
      ),
      adopting,
      summary,
      complaint,
      h("footer", {}, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), go),
    );
    let keepsOwn = false; // the scene, because the person wants it so
    /** m/px that the scene shall take from the picture, null to keep its own. @param {number} metres */
    const adopted = (metres) => {
      if (!adopting) return null;
      const [first, second] = form.elements["t2e-metres"];
      first.disabled = !(metres >= FINEST && metres <= COARSEST);
      (first.disabled || keepsOwn ? second : first).checked = true;
      asPicture.textContent = first.disabled ? `a scene has ${FINEST} to ${COARSEST} m/px` : `${short(metres)} m/px`;
      return first.checked && metres !== scene.resolution ? metres : null;
    };
    const isUntouched = () => picture.resolution !== null && size.value === short(picture.resolution);
    /** A picture of another size than the file says does not lie where the file says. */
    const limitPlaces = () => {
      const [first, here, besides] = form.elements["t2e-at"];
      if (first.value !== "own" || picture.why) return;
      first.disabled = !isUntouched();
      if (first.disabled && first.checked) (free && !scene.empty ? here : besides).checked = true;
    };
    const wish = () => {
      const metres = Number(size.value);
      const untouched = isUntouched();
      const at = form.elements["t2e-at"].value;
      // What the file says, to the last digit, where that is what counts.
      const takes = adopted(untouched ? picture.resolution : metres);
      const { w, h: high } = sizeInScene(picture, metres, takes ?? scene.resolution);
      const corner = { own: null, here: [Math.round(middle.x - w / 2), Math.round(middle.y - high / 2)], beside }[at];
      return { metres, w, high, at: corner, resolution: untouched ? null : metres, ...(into.chosen ?? { layer: "rgb", bands: parseBands(bands.value) }), adopted: takes };
    };
    const update = () => {
      const { metres, w, high, at, adopted: takes } = wish();
      if (!(metres > 0)) {
        summary.textContent = "Type how many metres one pixel shows, such as 0.3.";
        return;
      }
      const ground = `${length(picture.width * metres)} × ${length(picture.height * metres)}`;
      const scaled = metres > 1.5 * (takes ?? scene.resolution) ? " It is enlarged and holds no more detail." : "";
      const rect = at === null ? picture.rect ?? [0, 0, 0, 0] : at === "beside" ? null : [...at, w, high];
      const replaces = rect && covers(rect) ? " It replaces what is there; undo brings it back." : "";
      const deep = picture.dtype === "uint8" ? "" : ` Values of ${picture.dtype} are stretched to 8 bit.`;
      summary.textContent = `Becomes ${w} × ${high} px of the scene, ${ground}.${scaled}${deep}${replaces}`;
    };
    form.addEventListener("input", ({ target }) => {
      if (target instanceof HTMLInputElement && target.name === "t2e-metres") keepsOwn = target.value === "scene";
      complaint.textContent = "";
      limitPlaces();
      update();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const { metres, resolution, at, layer, bands: shown, adopted: takes } = wish();
      if (!(metres > 0)) {
        complaint.textContent = "The size of a pixel must be a number of metres above 0.";
        return;
      }
      if (!into.chosen && !shown && (asked === "named" || bands.value.trim())) {
        complaint.textContent = "Name one or three bands, such as 3, 2, 1.";
        return;
      }
      go.disabled = true;
      try {
        await send({ resolution, at, layer, bands: shown, adopted: takes });
        sent = true;
        dialog.close();
      } catch (error) {
        complaint.textContent = error.message;
      } finally {
        go.disabled = false;
      }
    });
    update();
    const dialog = open(host, "Import a picture", form);
    dialog.addEventListener("close", () => resolve(sent));
    size.select();
  });
}
