import assert from "node:assert/strict";
import { test } from "node:test";
import { requested, weightsOf } from "../../app/static/layers/adapter-choice.mjs";
import * as display from "../../app/static/layers/display.mjs";
import { choices, proposedBands } from "../../app/static/layers/import-bands.mjs";
import { filled, layerOf, layerWords, whyNot } from "../../app/static/layers/layers.mjs";
import { passes } from "../../app/static/layers/row-drag.mjs";
import * as view from "../../app/static/layers/view-state.mjs";
import { primaryLabel } from "../../app/static/panel/primary-label.mjs";
import { EMPTY, pendingFrames } from "../../app/static/scene/store.mjs";

const names = (state) => state.rows.map(({ name }) => name);
const adapter = (name, modality) => ({ name, fingerprint: `${name}0`, modality, bands: [], rank: 4, shipped: true, samples: 0, figures: {}, licence: "" });

test("a new scene shows colours over the other layers, and works in them", () => {
  const plain = view.initial();
  assert.deepEqual(names(plain), ["sar", "nir", "pan", "rgb", "nir-r-g"]);
  assert.deepEqual(plain.rows.filter(({ visible }) => !visible).map(({ name }) => name), ["nir-r-g"]);
  assert.equal(plain.active, "rgb");
});

test("the layer that is worked in comes to the top and is visible", () => {
  const hidden = view.changed(view.initial(), "nir", { visible: false });
  const now = view.chosen(hidden, "nir");
  assert.equal(now.active, "nir");
  assert.equal(names(now).at(-1), "nir");
  assert.ok(now.rows.at(-1).visible);
});

test("a row moves past the next one that is listed, and nowhere at the ends", () => {
  const listed = ["sar", "rgb"];
  const up = view.moved(view.initial(), "sar", 1, listed);
  assert.deepEqual(names(up), ["nir", "pan", "rgb", "sar", "nir-r-g"]);
  assert.deepEqual(names(view.moved(up, "sar", -1, listed)).filter((name) => listed.includes(name)), listed);
  assert.equal(view.moved(up, "sar", 1, listed), up);
});

test("a dragged row changes places once, and is then under the pointer, however high the rows are", () => {
  const stacked = (...heights) => heights.map((height, n) => {
    const top = heights.slice(0, n).reduce((sum, each) => sum + each, 100);
    return { top, bottom: top + height };
  });
  for (const [above, own, below] of [[32, 32, 32], [120, 32, 32], [32, 120, 32], [32, 32, 120]]) {
    const [first, second, third] = stacked(above, own, below);
    assert.equal(passes((second.top + second.bottom) / 2, second, first, third), 0);
    for (let y = first.top; passes(y, second, first, third) === -1; y++) {
      const [now, other] = stacked(own, above);
      assert.ok(y >= now.top && y < now.bottom && passes(y, now, undefined, other) === 0, `${above} ${own}: up at ${y}`);
    }
    for (let y = third.bottom; passes(y, second, first, third) === 1; y--) {
      const [, other, now] = stacked(above, below, own);
      assert.ok(y > now.top && y <= now.bottom && passes(y, now, other, undefined) === 0, `${own} ${below}: down at ${y}`);
    }
    assert.equal(passes(first.top, second, first, third), -1);
    assert.equal(passes(third.bottom, second, first, third), 1);
  }
  assert.equal(passes(0, { top: 100, bottom: 132 }, undefined, undefined), 0, "nothing lies beyond the ends");
});

test("false colour is listed where both of its layers hold something", () => {
  const shown = (layers) => view.listed(view.initial(), layers).map(({ name }) => name);
  assert.deepEqual(shown(["rgb", "nir"]), ["nir", "rgb", "nir-r-g"]);
  assert.deepEqual(shown(["nir", "sar"]), ["sar", "nir"]);
});

test("what was kept comes back, and nonsense in it is as in a new scene", () => {
  const kept = { ...view.chosen(view.initial(), "sar"), swipe: { left: "rgb", right: "sar", at: 0.25 } };
  assert.deepEqual(view.restored(JSON.parse(JSON.stringify(kept))), kept);
  for (const bad of [null, 7, "x", [], {}, { rows: 3 }, { active: "uv", swipe: { left: "rgb" } }, { rows: [{ name: "uv" }, null] }]) {
    assert.deepEqual(view.restored(bad), view.initial());
  }
  const odd = view.restored({ rows: [{ name: "pan", opacity: 9, display: { stretch: "fixed", low: 200, high: 100, map: "toString" } }, { name: "pan" }] });
  assert.deepEqual(names(odd), ["pan", "sar", "nir", "rgb", "nir-r-g"]);
  assert.deepEqual([odd.rows[0].opacity, odd.rows[0].display.low, odd.rows[0].display.map], [1, 0, "grey"]);
});

test("each scene keeps its own view, and a browser that refuses storage shows a new one", () => {
  const map = new Map();
  const storage = { getItem: (key) => map.get(key) ?? null, setItem: (key, value) => map.set(key, value) };
  view.save(storage, "a", view.chosen(view.initial(), "nir"));
  view.save(storage, "b", view.initial());
  assert.deepEqual([view.load(storage, "a").active, view.load(storage, "b").active, view.load(storage, "c").active], ["nir", "rgb", "rgb"]);
  map.set("text2earth.layers", "{");
  assert.deepEqual(view.load(storage, "a"), view.initial());
  const refuse = () => {
    throw new Error("SecurityError");
  };
  view.save({ getItem: refuse, setItem: refuse }, "a", view.initial());
});

test("a stretch maps low to the first colour, high to the last, and what lies beyond to the same", () => {
  const table = display.lookup({ low: 50, high: 150, map: "grey" });
  assert.deepEqual([0, 50, 100, 150, 255].map((value) => table[value * 3]), [0, 0, 128, 255, 255]);
  const grey = display.lookup({ low: 0, high: 255, map: "grey" });
  for (let value = 0; value < 256; value++) assert.equal(grey[value * 3 + 1], value, "as stored is as stored");
  for (const [map, { stops }] of Object.entries(display.MAPS)) {
    const colours = display.lookup({ low: 10, high: 20, map });
    assert.deepEqual([...colours.slice(0, 3)], stops[0]);
    assert.deepEqual([...colours.slice(255 * 3)], stops.at(-1));
  }
});

test("percentiles leave out two per cent on either side, whatever the rest is", () => {
  const counts = new Uint32Array(256);
  assert.deepEqual(display.percentiles(counts), { low: 0, high: 255 });
  for (let value = 100; value < 200; value++) counts[value] = 10;
  assert.deepEqual(display.percentiles(counts), { low: 102, high: 197 });
  counts[3] = 5;
  counts[250] = 5;
  const { low, high } = display.percentiles(counts);
  assert.ok(low >= 100 && high < 200, "a few outliers do not count");
  assert.deepEqual(display.percentiles(new Uint32Array(256).fill(9, 7, 8)), { low: 0, high: 255 });
});

test("colours change known pixels' colours alone; unknown ones are not counted", () => {
  const pixels = new Uint8ClampedArray([10, 10, 10, 255, 200, 200, 200, 0]);
  assert.deepEqual([...display.counted(pixels).entries()].filter(([, count]) => count), [[10, 1]]);
  display.recolour(pixels, display.lookup({ low: 10, high: 20, map: "viridis" }));
  assert.deepEqual([...pixels.slice(0, 4)], [...display.MAPS.viridis.stops[0], 255]);
  assert.equal(pixels[7], 0);
});

test("false colour is near infrared, red, green where both are known", () => {
  const rgb = new Uint8ClampedArray([1, 2, 3, 255, 1, 2, 3, 255]);
  display.falseColour(rgb, new Uint8ClampedArray([9, 9, 9, 255, 9, 9, 9, 0]));
  assert.deepEqual([...rgb], [9, 1, 2, 255, 9, 1, 2, 0]);
});

test("tiles are coloured anew where something of it changes, and as stored they come as they are", () => {
  const plain = { low: 0, high: 255, map: "grey" };
  assert.equal(display.lookName(plain), "");
  const all = [{ ...plain, counted: true }, { ...plain, low: 1 }, { ...plain, map: "viridis" }].map(display.lookName);
  assert.equal(new Set([...all, ""]).size, 4);
});

test("a layer without an adapter cannot be made, and a sentence says why", () => {
  const ready = { ...EMPTY.model, state: "ready", adapters: [adapter("near", "nir"), adapter("autumn", "rgb")] };
  assert.deepEqual(["rgb", "nir"].map((layer) => whyNot(ready, layer)), [null, null]);
  assert.match(whyNot(ready, "sar"), /No adapter for SAR/);
  assert.match(whyNot(EMPTY.model, "nir"), /not loaded yet/);
  assert.equal(whyNot(EMPTY.model, "rgb"), null);
});

test("requests of records without a layer are colours; jobs of another layer do not cover a frame", () => {
  assert.deepEqual([{}, { layer: null }, { layer: "sar" }, { layer: "uv" }].map(layerOf), ["rgb", "rgb", "sar", "rgb"]);
  assert.deepEqual([{}, { layer: "nir" }].map(layerWords), ["", "NIR · "]);
  assert.deepEqual(filled({ layer_bounds: { sar: [0, 0, 1, 1], rgb: [0, 0, 1, 1] } }), ["rgb", "sar"]);
  const job = { id: "a", kind: "generate", state: "queued", request: { frame: [0, 0, 64, 64], layer: "nir" } };
  assert.deepEqual(["rgb", "nir"].map((layer) => pendingFrames({ ...EMPTY, jobs: [job] }, layer).length), [0, 1]);
});

test("the button says which layer it makes", () => {
  const plain = { masked: false, variations: 3, seconds: null, regions: 0, first: false };
  const said = [{}, { layer: "NIR" }, { layer: "NIR", first: true }, { layer: "SAR", regions: 2 }, { layer: "PAN", masked: true }];
  assert.deepEqual(said.map((more) => primaryLabel({ ...plain, ...more })), [
    "Generate", "Generate NIR", "Make the first NIR tile", "Fill 2 regions in SAR", "Change mask in PAN, 3 variations",
  ]);
});

test("styles that have a weight go with a request, and those of a step come back by fingerprint", () => {
  const known = [adapter("near", "nir"), adapter("autumn", "rgb"), adapter("winter", "rgb")];
  assert.deepEqual(requested(known, { autumn: 0.8, winter: 0, near: 1, gone: 1 }), [["autumn", 0.8]]);
  assert.deepEqual(requested(known, { autumn: 9, winter: "much" }), [["autumn", 1.5]]);
  assert.deepEqual(weightsOf(known, [["near0", 1], ["winter0", 0.5]]), { winter: 0.5 });
});

test("an import proposes what the file says, pan for a single band, near infrared as the fourth of four", () => {
  const file = (bands, layers = {}, alpha = false) => ({ bands, alpha, layers });
  assert.equal(choices(file(1)).proposed, "pan");
  assert.equal(choices(file(1, { sar: [1] })).proposed, "sar");
  assert.equal(choices(file(3)).proposed, "rgb");
  assert.equal(choices(file(4)).proposed, "rgb nir");
  assert.equal(choices(file(4, { rgb: [1, 2, 3] }, true)).proposed, "rgb");
  assert.equal(choices(file(5, { rgb: [3, 2, 1], nir: [5] })).proposed, "rgb nir");
  assert.equal(choices(file(4, { rgb: [1, 2, 3], sar: [4] })).proposed, "file");
  assert.ok(!choices(file(3)).values.includes("rgb nir"));
  assert.deepEqual(proposedBands(file(5, { rgb: [3, 2, 1], nir: [5] })), [3, 2, 1, 5]);
  assert.deepEqual(proposedBands(file(4)), [1, 2, 3, 4]);
});
