import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_SCALE, MIN_SCALE, View } from "../../app/static/geometry/view.mjs";
import { besidePanel, insets, freePart, nudgeInto } from "../../app/static/page/layout.mjs";

function view(scale = 1, cx = 0, cy = 0) {
  const made = new View();
  made.resize(800, 600);
  Object.assign(made, { scale, cx, cy });
  return made;
}

const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("toScene undoes toScreen", () => {
  const v = view(0.37, -1234, 77);
  const screen = v.toScreen(12.5, -999);
  const back = v.toScene(screen.x, screen.y);
  near(back.x, 12.5);
  near(back.y, -999);
});

test("zooming keeps the point under the pointer, also at the limits", () => {
  for (const factor of [1.3, 0.2, 1e9, 1e-9]) {
    const v = view(0.8, 300, -50);
    const before = v.toScene(123, 456);
    v.zoomAt(factor, 123, 456);
    const after = v.toScene(123, 456);
    near(before.x, after.x);
    near(before.y, after.y);
    assert.ok(v.scale >= MIN_SCALE && v.scale <= MAX_SCALE);
  }
});

test("where no pointer says about what, zooming keeps the middle of what panels leave free", () => {
  const v = view(0.8, 300, -50);
  v.resize(390, 844);
  const inset = insets(390, 844, { left: 0, top: 420 });
  const free = freePart(390, 844, inset);
  const middle = [free.x + free.w / 2, free.y + free.h / 2];
  const before = v.toScene(...middle);
  v.zoomMiddle(1.25, inset);
  const after = v.toScene(...middle);
  near(v.scale, 1);
  near(before.x, after.x);
  near(before.y, after.y);
});

test("neighbouring rectangles share their edge at any scale", () => {
  const v = view(0.731, 17.3, 4.1);
  for (let n = -5; n < 5; n++) {
    const a = v.rectToScreen({ x: n * 256, y: 0, w: 256, h: 256 });
    const b = v.rectToScreen({ x: (n + 1) * 256, y: 0, w: 256, h: 256 });
    assert.equal(a.x + a.w, b.x);
  }
});

test("fit shows all of a rectangle in what the panel leaves free", () => {
  const v = view();
  const inset = { top: 50, right: 300, bottom: 30, left: 60 };
  const rect = { x: -5000, y: 200, w: 9000, h: 700 };
  v.fit(rect, inset);
  const screen = v.rectToScreen(rect);
  assert.ok(screen.x >= 59 && screen.x + screen.w <= 501);
  assert.ok(screen.y >= 49 && screen.y + screen.h <= 571);
});

test("the pyramid level follows scale and device pixels, within its bounds", () => {
  assert.deepEqual([4, 1, 0.5, 0.25, 0.001].map((scale) => view(scale).level(1, 5)), [0, 0, 1, 2, 5]);
  assert.equal(view(0.5).level(2, 5), 0);
});

test("a panel at the side costs width, a sheet from below costs height", () => {
  assert.equal(insets(1440, 900, { left: 1124, top: 60 }).right, 324);
  const phone = insets(390, 844, { left: 0, top: 500 });
  assert.equal(phone.bottom, 352);
  assert.ok(freePart(390, 844, phone).h > 400);
  assert.equal(insets(390, 844, null).bottom, 8, "the status line lies above the map there");
  assert.equal(insets(1440, 900, null, 80).top, insets(1440, 900, null).top + 80, "an open bar takes its height");
});

test("a floating panel leaves the map free beside it, else below it, and in a narrow window above it", () => {
  const size = { w: 272, h: 400 };
  const around = (width, panel) => insets(width, 1024, panel);
  const [desk, tablet, phone] = [around(1440, { left: 1124, top: 60 }), around(768, { left: 436, top: 60 }), around(390, null)];
  assert.deepEqual(besidePanel(1440, desk, size), { ...desk, left: desk.left + 284 });
  assert.deepEqual(besidePanel(768, tablet, size), { ...tablet, top: tablet.top + 412 });
  assert.deepEqual(besidePanel(390, phone, size), { ...phone, bottom: 408 });
});

test("nudgeInto moves no more than needed, and centres what is too large", () => {
  const free = { x: 0, y: 0, w: 500, h: 500 };
  assert.deepEqual(nudgeInto({ x: 100, y: 100, w: 100, h: 100 }, free, 40), [0, 0]);
  assert.deepEqual(nudgeInto({ x: 400, y: -20, w: 100, h: 100 }, free, 40), [-40, 60]);
  assert.deepEqual(nudgeInto({ x: 0, y: 100, w: 600, h: 100 }, free, 40), [-50, 0]);
});
