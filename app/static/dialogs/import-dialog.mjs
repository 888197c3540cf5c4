/** Asks how large a picture is on the ground and where it goes, and shows what it will become. */
import { open } from "./dialogs.mjs";
import { h } from "../page/dom.mjs";
import { length, short } from "../page/format.mjs";

/**
 * @typedef {{file: string, name: string, width: number, height: number, bands: number, dtype: string, alpha: boolean, crs: string|null,
 *   resolution: number|null, rect: number[]|null, placed: boolean}} Picture what the server tells of a received file
 * @typedef {{resolution: number|null, at: number[]|null, bands: number[]|null}} Wish null leaves it to the file
 */

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
    const choice = (value, label, about, checked) =>
      h("label", { class: "choice" }, h("input", { type: "radio", name: "t2e-at", value, checked }), h("b", {}, label), h("small", {}, about));
    const own = picture.placed ? [choice("own", picture.crs ? "At its place on Earth" : "At its own place", picture.crs ?? "where it was exported from", true)] : [];
    const asked = bandsAsked(picture);
    const bands = h("input", {
      type: "text", value: asked === "named" ? "1, 2, 3" : "", placeholder: "as the file says", autocomplete: "off",
      title: "Red, green, blue; or one band as grey. Where bands are named, transparency hides nothing.",
    });
    const summary = h("p", { class: "quiet", "aria-live": "polite" });
    const complaint = h("p", { class: "complaint", role: "alert" });
    const go = h("button", { type: "submit", class: "primary" }, "Import");
    const unknown = picture.resolution === null ? "The file does not say it." : `The file says ${short(picture.resolution)} m/px.`;
    const form = h(
      "form",
      { class: "wide", novalidate: true },
      h("p", { class: "file" }, h("b", {}, picture.name), h("small", {}, `${picture.width} × ${picture.height} px, ${picture.bands} band${picture.bands > 1 ? "s" : ""} of ${picture.dtype}`)),
      h("label", {}, h("span", {}, `Size of its pixels, metres. ${unknown}`), size),
      asked && h("label", {}, h("span", {}, `Bands as red, green, blue (1 to ${picture.bands})${asked === "offered" ? "; named, none counts as transparency" : ""}`), bands),
      h(
        "fieldset",
        {},
        h("legend", {}, "Place"),
        ...own,
        choice("here", "Here", "around the pointer, or in the middle of the view", !own.length && !scene.empty),
        choice("beside", scene.empty ? "At the origin" : "Beside the scene", scene.empty ? "upper left corner at 0, 0" : "to the right of what is there", !own.length && scene.empty),
      ),
      summary,
      complaint,
      h("footer", {}, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), go),
    );
    const isUntouched = () => picture.resolution !== null && size.value === short(picture.resolution);
    /** A picture of another size than the file says does not lie where the file says. */
    const limitPlaces = () => {
      const [first, here] = form.elements["t2e-at"];
      if (first.value !== "own") return;
      first.disabled = !isUntouched();
      if (first.disabled && first.checked) here.checked = true;
    };
    const wish = () => {
      const metres = Number(size.value);
      const untouched = isUntouched();
      const at = form.elements["t2e-at"].value;
      const { w, h: high } = sizeInScene(picture, metres, scene.resolution);
      const corner = { own: null, here: [Math.round(middle.x - w / 2), Math.round(middle.y - high / 2)], beside }[at];
      return { metres, w, high, at: corner, resolution: untouched ? null : metres, bands: parseBands(bands.value) };
    };
    const update = () => {
      const { metres, w, high } = wish();
      if (!(metres > 0)) {
        summary.textContent = "Type how many metres one pixel shows, such as 0.3.";
        return;
      }
      const ground = `${length(picture.width * metres)} × ${length(picture.height * metres)}`;
      const scaled = metres > 1.5 * scene.resolution ? " It is enlarged and holds no more detail." : "";
      const deep = picture.dtype === "uint8" ? "" : ` Values of ${picture.dtype} are stretched to 8 bit.`;
      summary.textContent = `Becomes ${w} × ${high} px of the scene, ${ground}.${scaled}${deep} It replaces what is there; undo brings it back.`;
    };
    form.addEventListener("input", () => {
      complaint.textContent = "";
      limitPlaces();
      update();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const { metres, resolution, at, bands: shown } = wish();
      if (!(metres > 0)) {
        complaint.textContent = "The size of a pixel must be a number of metres above 0.";
        return;
      }
      if (!shown && (asked === "named" || bands.value.trim())) {
        complaint.textContent = "Name one or three bands, such as 3, 2, 1.";
        return;
      }
      go.disabled = true;
      try {
        await send({ resolution, at, bands: shown });
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
