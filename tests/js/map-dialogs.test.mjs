/** What the dialogs of export and import make of what is typed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FORMATS, estimate, placeOf } from "../../app/static/dialogs/export-dialog.mjs";
import { bandsAsked, parseBands, sizeInScene } from "../../app/static/dialogs/import-dialog.mjs";

test("a place is read as people write it", () => {
  assert.deepEqual(placeOf(" 32632 ", "500000 5400000"), { crs: "EPSG:32632", origin: "500000,5400000" });
  assert.deepEqual(placeOf("EPSG:2056", "2600000; 1200000"), { crs: "EPSG:2056", origin: "2600000,1200000" });
  assert.equal(placeOf("  ", ""), null);
  assert.deepEqual(placeOf("", "1, 2"), { crs: "", origin: "1,2" });
});

test("the size of an export is told in pixels, on the ground and on the disk", () => {
  const png = FORMATS.find(({ id }) => id === "png");
  assert.equal(estimate({ x: 0, y: 0, w: 1000, h: 500 }, 2, png), "1000 × 500 px, 2000 m × 1000 m, about 1 MB");
  assert.equal(estimate(null, 2, png), "");
});

test("a picture's size in the scene follows its own resolution", () => {
  assert.deepEqual(sizeInScene({ width: 400, height: 300 }, 0.5, 2), { w: 100, h: 75 });
  assert.deepEqual(sizeInScene({ width: 1, height: 1 }, 0.1, 8), { w: 1, h: 1 });
});

test("one or three bands, counted from 1", () => {
  assert.deepEqual(parseBands("7, 5;3"), [7, 5, 3]);
  assert.deepEqual(parseBands("4"), [4]);
  for (const wrong of ["", "1,2", "0,1,2", "1.5", "red", "1,2,3,4"]) assert.equal(parseBands(wrong), null);
});

test("bands are asked for where there are many, and offered where one hides something", () => {
  assert.equal(bandsAsked({ bands: 8, alpha: true }), "named");
  assert.equal(bandsAsked({ bands: 4, alpha: true }), "offered");
  assert.equal(bandsAsked({ bands: 3, alpha: false }), null);
});
