/** Asks what to export: format, region, place on Earth; shows how large it will be. */
import { open } from "./dialogs.mjs";
import { h } from "../page/dom.mjs";
import { bytes, length } from "../page/format.mjs";

/** Bytes per pixel that photographs need, measured on scenes of the shipped model. */
export const FORMATS = [
  { id: "tif", label: "GeoTIFF", about: "Cloud Optimized, for GIS: true pixel size, empty ground masked out", perPixel: 2.6, map: true },
  { id: "png", label: "PNG", about: "One picture, empty ground transparent", perPixel: 2.0, map: false },
  { id: "mbtiles", label: "MBTiles", about: "Web Mercator tiles in one file, for scenes that lie on Earth", perPixel: 0.4, map: true },
  { id: "zip", label: "Tile pyramid", about: "Tiles of all zoom levels with a viewer that needs no network", perPixel: 2.6, map: false },
];

/**
 * @param {import("../geometry/rect.mjs").Rect|null} region @param {number} resolution m/px @param {typeof FORMATS[number]} format @param {number} [bands]
 * @returns {string} how large the export will be
 */
export function estimate(region, resolution, format, bands = 3) {
  if (!region) return "";
  const size = `${region.w} × ${region.h} px, ${length(region.w * resolution)} × ${length(region.h * resolution)}`;
  return `${size}, about ${bytes((region.w * region.h * format.perPixel * bands) / 3)}`;
}

/**
 * What a form says about the place. @param {string} crs @param {string} origin
 * @returns {{crs: string, origin: string}|null} null where nothing is said
 */
export function placeOf(crs, origin) {
  const code = crs.trim().replace(/^(\d+)$/, "EPSG:$1");
  const at = origin.trim().replace(/[;\s]+/g, ",").replace(/,+/g, ",");
  return code || at ? { crs: code, origin: at } : null;
}

/**
 * @param {HTMLElement} host @param {import("../scene/store.mjs").Scene} scene
 * @param {{name: string, label: string, rect: import("../geometry/rect.mjs").Rect|null}[]} regions the first that is there is chosen
 * @param {import("../layers/export-layers.mjs").ExportLayers} layers
 * @param {(wish: {format: string, rect: import("../geometry/rect.mjs").Rect|null, whole: boolean, layers: string[], place: {crs: string, origin: string}|null}) => Promise<void>} send
 *   throws an error with a sentence, which is shown in the dialog
 */
export function exportDialog(host, scene, regions, layers, send) {
  const formats = FORMATS.map((format, n) =>
    h(
      "label",
      { class: "choice", title: format.about },
      h("input", { type: "radio", name: "t2e-format", value: format.id, checked: n === 0 }),
      h("b", {}, format.label),
      h("small", {}, format.about),
    ),
  );
  const usable = regions.filter((region) => region.rect);
  const places = usable.map((region, n) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "radio", name: "t2e-region", value: region.name, checked: n === 0 }),
      h("b", {}, region.label),
      h("small", {}, `${region.rect.w} × ${region.rect.h} px`),
    ),
  );
  const { anchor } = scene;
  const crs = h("input", {
    type: "text", autocomplete: "off", spellcheck: "false", placeholder: "such as EPSG:32632", value: anchor ? `EPSG:${anchor.epsg}` : "",
    title: "A projected coordinate system, such as a UTM zone",
  });
  const origin = h("input", {
    type: "text", autocomplete: "off", placeholder: "such as 500000, 5400000", value: anchor ? `${anchor.east}, ${anchor.north}` : "",
    title: "Easting and northing of the corner of scene pixel 0, 0",
  });
  const earth = h(
    "fieldset",
    {},
    h("legend", {}, "Place on Earth"),
    h("div", { class: "pair" }, h("label", {}, h("span", {}, "Coordinate system"), crs), h("label", {}, h("span", {}, "Origin E, N of pixel 0, 0"), origin)),
    h("p", { class: "quiet" }, "The scene remembers it. Left empty, a GeoTIFF lies in a local system in metres."),
  );
  const size = h("p", { class: "quiet", "aria-live": "polite" });
  const complaint = h("p", { class: "complaint", role: "alert" });
  const go = h("button", { type: "submit", class: "primary" }, "Export");
  const form = h(
    "form",
    { class: "wide" },
    h("fieldset", { class: "formats" }, h("legend", {}, "Format"), ...formats),
    layers.node,
    h("fieldset", {}, h("legend", {}, "Region"), ...places),
    earth,
    size,
    complaint,
    h("footer", {}, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), go),
  );
  const chosen = () => ({
    format: FORMATS.find(({ id }) => id === form.elements["t2e-format"].value),
    region: usable.find(({ name }) => name === form.elements["t2e-region"].value),
  });
  const update = () => {
    const { format, region } = chosen();
    earth.hidden = !format.map;
    layers.allow(format.id === "tif");
    size.textContent = estimate(region.rect, scene.resolution, format, layers.bands);
  };
  form.addEventListener("input", () => {
    complaint.textContent = "";
    update();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { format, region } = chosen();
    const place = format.map ? placeOf(crs.value, origin.value) : null;
    if (!layers.layers.length) {
      complaint.textContent = "Choose a layer at least.";
      return;
    }
    go.disabled = true;
    try {
      await send({ format: format.id, rect: region.rect, whole: region.name === "whole", layers: layers.layers, place });
      dialog.close();
    } catch (error) {
      complaint.textContent = error.message;
    } finally {
      go.disabled = false;
    }
  });
  update();
  const dialog = open(host, "Export", form);
  return dialog;
}
