/** What the page offers to make from another layer, and what it says where it can offer nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { newFirst, possible, whyNoneMade } from "../../app/static/layers/translate-dialog.mjs";

const told = (name, source, target, finer = 1) => ({ name, source, target, finer, title: name });
const model = { state: "ready", translations: [told("rgb2nir", "rgb", "nir"), told("nir2rgb", "nir", "rgb"), told("sr2", "rgb", "rgb", 2), told("dehaze", "rgb", "rgb")] };

test("only what is there is a source, and pixels stay as large as the scene's", () => {
  assert.deepEqual(possible(model, ["rgb"]).map(({ name }) => name), ["rgb2nir", "dehaze"]);
  assert.deepEqual(possible(model, ["nir"]).map(({ name }) => name), ["nir2rgb"]);
  assert.deepEqual(possible(model, ["rgb", "nir"]).map(({ name }) => name), ["rgb2nir", "nir2rgb", "dehaze"]);
});

test("what is proposed makes something: what is there already comes last", () => {
  const both = [told("nir2rgb", "nir", "rgb"), told("rgb2nir", "rgb", "nir"), told("rgb2sar", "rgb", "sar")];
  const names = (bounds) => newFirst(both, bounds).map(({ name }) => name);
  assert.deepEqual(names({ rgb: [0, 0, 512, 256], nir: [0, 0, 256, 256] }), ["rgb2nir", "rgb2sar", "nir2rgb"]);
  assert.deepEqual(newFirst([told("dehaze", "rgb", "rgb"), both[1]], { rgb: [0, 0, 64, 64] }).map(({ name }) => name), ["rgb2nir", "dehaze"]);
  assert.deepEqual(names({ rgb: [0, 0, 64, 64], nir: [32, 0, 64, 64], sar: [0, 0, 64, 64] }), ["nir2rgb", "rgb2nir", "rgb2sar"]);
});

test("where nothing can be made one sentence says why, and how to get a translator", () => {
  assert.equal(whyNoneMade(model, ["rgb"]), null);
  assert.match(whyNoneMade(model, []), /make or import something first/);
  assert.match(whyNoneMade({ ...model, translations: [] }, ["rgb"]), /train one with `text2earth train translator/);
  assert.match(whyNoneMade({ ...model, state: "loading", translations: [] }, ["rgb"]), /not loaded yet/);
  assert.match(whyNoneMade(model, ["sar"]), /nothing of SAR/);
});
