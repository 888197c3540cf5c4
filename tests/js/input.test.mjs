import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../app/static/page/format.mjs";
import { Gestures, wheelFactor } from "../../app/static/tools/gestures.mjs";
import { SHORTCUTS, commandOf, parseCoordinate } from "../../app/static/tools/keys.mjs";

const press = (key, more = {}, typing = false) => commandOf({ key, ...more }, typing)?.command ?? null;

test("keys mean what the sheet says, and nothing while typing but Ctrl+Enter and Escape", () => {
  assert.equal(press("v"), "tool-select");
  assert.equal(press("F", { shiftKey: true }), "tool-frame");
  assert.equal(press("z", { ctrlKey: true }), "undo");
  assert.equal(press("Z", { metaKey: true, shiftKey: true }), "redo");
  assert.equal(press("y", { ctrlKey: true }), "redo");
  assert.equal(press("r", { ctrlKey: true }), null, "reload stays the browser's");
  assert.equal(press("f", { altKey: true }), null);
  assert.deepEqual(commandOf({ key: "ArrowLeft", altKey: true }, false), { command: "extend", direction: "left" });
  assert.deepEqual(commandOf({ key: "ArrowUp", shiftKey: true }, false), { command: "nudge", direction: "up", big: true });
  for (const key of ["v", "ArrowLeft", "0", "?"]) assert.equal(press(key, {}, true), null);
  assert.equal(press("z", { ctrlKey: true }, true), null, "undo in a text field undoes typing");
  assert.equal(press("Enter", { ctrlKey: true }, true), "generate");
});

test("every command of the sheet can be typed", () => {
  const reach = ["v", "f", "b", "e", "x", "l", "r", "m", "u", "d", "[", "]", "h", "z", "g", "q", "p", "?", "/", "+", "-", "0", "1", "2", "3", "4", "5", "s", "Escape", "Enter", "Backspace"].map((key) => press(key));
  reach.push(press("Enter", { ctrlKey: true }), press("y", { ctrlKey: true }), press("ArrowUp"), press("ArrowUp", { altKey: true }));
  for (const key of ["ArrowRight", "b", "Enter", "Escape"]) reach.push(commandOf({ key }, false, true).command);
  assert.deepEqual(new Set(reach), new Set(SHORTCUTS.map((shortcut) => shortcut.command)));
});

test("coordinates are read as people type them", () => {
  assert.deepEqual(parseCoordinate("1200, -340"), { x: 1200, y: -340 });
  assert.deepEqual(parseCoordinate(" x 1.2km y=-3 m"), { x: 1200, y: -3 });
  for (const bad of ["", "12", "1 2 3", "a, b", "1e12, 0x4", "99999999999, 0"]) assert.equal(parseCoordinate(bad), null, bad);
});

function recorder(isTool) {
  const seen = [];
  const log = (name) => (...values) => seen.push([name, ...values.filter((value) => typeof value === "number").map(Math.round)]);
  const handlers = { move: log("move"), end: log("end"), cancel: log("cancel"), pan: log("pan"), zoom: log("zoom"), hover() {} };
  return { seen, gestures: new Gestures({ ...handlers, start: () => isTool }) };
}

const finger = (pointerId) => ({ pointerId });

test("one pointer uses the tool or pans", () => {
  const tool = recorder(true);
  tool.gestures.down(finger(1), 10, 10);
  tool.gestures.move(finger(1), 20, 15);
  tool.gestures.up(finger(1), 20, 15);
  assert.deepEqual(tool.seen, [["move", 20, 15], ["end", 20, 15]]);
  const hand = recorder(false);
  hand.gestures.down(finger(1), 10, 10);
  hand.gestures.move(finger(1), 20, 15);
  hand.gestures.up(finger(1), 20, 15);
  assert.deepEqual(hand.seen, [["pan", 10, 5]]);
});

test("a second finger drops the tool's drag, then two fingers pan and zoom", () => {
  const { seen, gestures } = recorder(true);
  gestures.down(finger(1), 100, 100);
  gestures.down(finger(2), 200, 100);
  gestures.move(finger(2), 300, 100);
  gestures.up(finger(2), 300, 100);
  gestures.up(finger(1), 100, 100);
  assert.deepEqual(seen, [["cancel"], ["pan", 50, 0], ["zoom", 2, 200, 100]]);
});

test("the wheel zooms in when turned away and stays reasonable for any device", () => {
  assert.ok(wheelFactor({ deltaY: -100, deltaMode: 0, ctrlKey: false }) > 1);
  assert.ok(wheelFactor({ deltaY: 3, deltaMode: 1, ctrlKey: false }) < 1);
  const wild = wheelFactor({ deltaY: 1e6, deltaMode: 2, ctrlKey: false });
  assert.ok(wild > 0.5 && wild < 1);
});

test("numbers are written as people of this field write them", () => {
  assert.deepEqual([0.3, 384, 12345].map(format.length), ["0.3 m", "384 m", "12.3 km"]);
  assert.deepEqual([500, 15000, 2.5e6].map(format.area), ["500 m²", "1.5 ha", "2.5 km²"]);
  assert.deepEqual([0.4, 12.3, 75, 7300].map(format.duration), ["< 1 s", "12 s", "1 min 15 s", "2 h 1 min"]);
  assert.equal(format.coordinate(-0.2, 1), "0 m");
  assert.equal(format.coordinate(-12.34, 0.5), "-12.3 m");
});

test("the scale bar is a 1-2-5 length that fits", () => {
  for (const metresPerPixel of [0.013, 0.5, 1, 3.3, 128, 4000]) {
    const { metres, pixels } = format.scaleBar(metresPerPixel, 110);
    assert.ok(pixels <= 110.001 && pixels > 110 / 2.6, `${metresPerPixel}: ${pixels}`);
    assert.ok([1, 2, 5].includes(Math.round(metres / 10 ** Math.floor(Math.log10(metres) + 1e-9))));
  }
});
