import assert from "node:assert/strict";
import { test } from "node:test";
import * as frames from "../../app/static/geometry/frames.mjs";
import { CELL, intersect } from "../../app/static/geometry/rect.mjs";

const W = 64;
const home = { x: 0, y: 0, w: W, h: W };
const nothing = async () => false;

test("an extension lies half a window beyond, in each direction", async () => {
  const expected = { up: [0, -32], right: [32, 0], down: [0, 32], left: [-32, 0] };
  for (const [direction, [x, y]] of Object.entries(expected)) {
    assert.deepEqual(await frames.nextFrame(home, direction, W, [], nothing), { x, y, w: W, h: W });
  }
});

test("an extension skips what is filled and what is queued", async () => {
  const filled = async (frame) => frame.x + frame.w <= 160;
  assert.equal((await frames.nextFrame(home, "right", W, [], filled)).x, 128);
  const pending = [{ x: 32, y: 0, w: 64, h: 64 }, { x: 64, y: 0, w: 64, h: 64 }];
  assert.equal((await frames.nextFrame(home, "right", W, pending, nothing)).x, 96);
});

test("a large frame is extended along its whole side by one window", async () => {
  const wide = { x: -64, y: 0, w: 256, h: 192 };
  const right = await frames.nextFrame(wide, "right", W, [], nothing);
  assert.deepEqual(right, { x: 160, y: 0, w: 64, h: 192 });
  const up = await frames.nextFrame(wide, "up", W, [], nothing);
  assert.deepEqual(up, { x: -64, y: -32, w: 256, h: 64 });
});

test("dragged frames lie on the cell grid, hold a window, and begin where the drag began", () => {
  for (const [bx, by] of [[300, 200], [-300, 200], [300, -200], [-300, -200], [9, 9], [5000, 40]]) {
    const frame = frames.draggedFrame(3, 5, bx, by, W, 4);
    for (const side of Object.values(frame)) assert.equal(Math.abs(side % CELL), 0);
    assert.ok(frame.w >= W && frame.h >= W && frame.w <= frames.MAX_SIDE);
    assert.ok(intersect(frame, { x: 3, y: 5, w: 1, h: 1 }), `${bx}, ${by}: ${JSON.stringify(frame)}`);
  }
});

test("a click gives one window around the point", () => {
  assert.deepEqual(frames.draggedFrame(100, 100, 101, 100, W, 4), { x: 72, y: 72, w: W, h: W });
});

test("handles stay in the free part while the frame is in sight, and vanish with it", () => {
  const free = { x: 60, y: 50, w: 600, h: 400 };
  const places = frames.handlePlaces({ x: 200, y: 150, w: 100, h: 100 }, free);
  assert.deepEqual(places.map(({ direction, x, y }) => [direction, x, y]), [
    ["up", 250, 122],
    ["right", 328, 200],
    ["down", 250, 278],
    ["left", 172, 200],
  ]);
  for (const { x, y } of frames.handlePlaces({ x: -500, y: -500, w: 3000, h: 3000 }, free)) {
    assert.ok(x > free.x && x < free.x + free.w && y > free.y && y < free.y + free.h);
  }
  assert.equal(frames.handlePlaces({ x: 1000, y: 0, w: 100, h: 100 }, free).length, 0);
});

test("a frame that is small on the screen keeps its handles as long as all of it is in sight", () => {
  const free = { x: 60, y: 50, w: 600, h: 400 };
  const places = frames.handlePlaces({ x: 200, y: 150, w: 16, h: 16 }, free);
  assert.deepEqual(places.map(({ direction, x, y }) => [direction, x, y]), [["up", 208, 122], ["right", 244, 158], ["down", 208, 194], ["left", 172, 158]]);
  assert.equal(frames.handlePlaces({ x: 50, y: 150, w: 16, h: 16 }, free).length, 0);
  assert.equal(frames.handlePlaces({ x: 630, y: 150, w: 200, h: 200 }, free).length, 0);
});

test("a point lies towards one side of a frame, within and without", () => {
  const frame = { x: 100, y: 100, w: 80, h: 40 };
  const sides = [[190, 120], [90, 121], [140, 20], [141, 300], [170, 118], [140, 130]].map(([x, y]) => frames.sideTowards(frame, x, y));
  assert.deepEqual(sides, ["right", "left", "up", "down", "right", "down"]);
});

test("what is covered for a moment moves to the nearer side that has room", () => {
  const free = { x: 60, y: 84, w: 300, h: 300 };
  const notice = { x: 64, y: 84, w: 280, h: 50 };
  assert.equal(frames.clearOf({ x: 180, y: 100, w: 44, h: 44 }, notice, free), 134);
  assert.equal(frames.clearOf({ x: 180, y: 140, w: 44, h: 44 }, notice, free), 140, "it is not covered");
  assert.equal(frames.clearOf({ x: 180, y: 100, w: 44, h: 44 }, null, free), 100);
  assert.equal(frames.clearOf({ x: 180, y: 320, w: 44, h: 44 }, { x: 64, y: 330, w: 280, h: 50 }, free), 286);
});
