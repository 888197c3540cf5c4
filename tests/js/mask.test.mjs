import assert from "node:assert/strict";
import { test } from "node:test";
import { filled, grown, squaredDistances, withRuns } from "../../app/static/mask/mask-morphology.mjs";

/** Alpha of a picture in which # is set, + half and . empty. */
const alpha = (...rows) => Uint8ClampedArray.from(rows.join(""), (sign) => ({ "#": 255, "+": 100 })[sign] ?? 0);
const shown = (values, w) => [...values].map((value) => (value >= 128 ? "#" : value ? "+" : ".")).join("").match(new RegExp(`.{${w}}`, "g"));

test("distances are exact", () => {
  const [w, h] = [23, 17];
  const set = new Uint8Array(w * h);
  const points = [[2, 3], [20, 4], [11, 15]];
  for (const [x, y] of points) set[y * w + x] = 1;
  const found = squaredDistances(set, w, h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const nearest = Math.min(...points.map(([px, py]) => (px - x) ** 2 + (py - y) ** 2));
      assert.equal(found[y * w + x], nearest);
    }
  }
});

test("a point grows into a disc and a disc shrinks to nothing", () => {
  const point = alpha(".......", ".......", ".......", "...#...", ".......", ".......", ".......");
  const disc = grown(point, 7, 7, 2);
  assert.deepEqual(shown(disc, 7), [".......", "...#...", "..###..", ".#####.", "..###..", "...#...", "......."]);
  assert.deepEqual(shown(grown(disc, 7, 7, -1), 7), [".......", ".......", "...#...", "..###..", "...#...", ".......", "......."]);
  assert.deepEqual(new Set(grown(disc, 7, 7, -3)), new Set([0]));
});

test("growing nothing gives nothing, and soft rims stay where they are", () => {
  assert.deepEqual(new Set(grown(new Uint8ClampedArray(25), 5, 5, 2)), new Set([0]));
  const soft = alpha(".....+", ".....+");
  assert.deepEqual(grown(soft, 6, 2, 1), soft);
});

test("what a ring surrounds is filled, what is open is not", () => {
  const ring = alpha("........", ".####...", ".#..#.#.", ".#..#.#.", ".####.#.", "......#.");
  assert.deepEqual(shown(filled(ring, 8, 6), 8), ["........", ".####...", ".####.#.", ".####.#.", ".####.#.", "......#."]);
});

test("runs are added to what is there", () => {
  const before = alpha("+...", "...#");
  assert.deepEqual(shown(withRuns(before, [2, 3, 2]), 4), ["+.##", "#..#"]);
  assert.deepEqual(shown(withRuns(before, [0, 8]), 4), ["####", "####"]);
  assert.deepEqual(withRuns(before, []), before);
  assert.deepEqual(shown(before, 4), ["+...", "...#"], "the mask before is kept for the undo");
});
