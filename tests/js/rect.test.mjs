import assert from "node:assert/strict";
import { test } from "node:test";
import * as rect from "../../app/static/geometry/rect.mjs";

const R = (x, y, w, h) => ({ x, y, w, h });

test("intersect is the common part, and null where rectangles only touch", () => {
  assert.deepEqual(rect.intersect(R(0, 0, 10, 10), R(5, -5, 10, 10)), R(5, 0, 5, 5));
  assert.equal(rect.intersect(R(0, 0, 10, 10), R(10, 0, 5, 5)), null);
});

test("subtract leaves disjoint parts with the right area", () => {
  const whole = R(-8, -8, 32, 24);
  for (const hole of [R(0, 0, 8, 8), R(-100, 0, 200, 8), R(-8, -8, 32, 24), R(16, 8, 100, 100), R(50, 50, 1, 1)]) {
    const parts = rect.subtract(whole, hole);
    const area = parts.reduce((sum, part) => sum + part.w * part.h, 0);
    const cut = rect.intersect(whole, hole);
    assert.equal(area, whole.w * whole.h - (cut ? cut.w * cut.h : 0));
    for (const [n, part] of parts.entries()) {
      assert.equal(rect.intersect(part, hole), null);
      for (const other of parts.slice(n + 1)) assert.equal(rect.intersect(part, other), null);
    }
  }
});

test("isCovered sees a cover made of several pieces, and the gap between them", () => {
  const frame = R(0, 0, 64, 64);
  assert.ok(rect.isCovered(frame, [R(-8, 0, 40, 64), R(32, -8, 64, 80)]));
  assert.ok(!rect.isCovered(frame, [R(0, 0, 32, 64), R(33, 0, 31, 64)]));
  assert.ok(!rect.isCovered(frame, []));
});

test("snapping rounds to cells on both sides of zero and never gives -0", () => {
  assert.deepEqual([-13, -12, -4, -3, 3, 4, 12].map(rect.snap), [-16, -8, 0, 0, 0, 8, 16]);
  assert.ok(Object.is(rect.snap(-1), 0));
  assert.deepEqual(rect.snapOut(R(-1, 7, 2, 2)), R(-8, 0, 16, 16));
});

test("tileRange covers negative tiles and coarser levels", () => {
  assert.deepEqual(rect.tileRange(R(-1, 0, 2, 256), 0), { x0: -1, y0: 0, x1: 1, y1: 1 });
  assert.deepEqual(rect.tileRange(R(-513, 511, 1026, 2), 1), { x0: -2, y0: 0, x1: 2, y1: 2 });
});
