/** Where places of an anchored scene lie, and how that is written. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { EarthPlace, carried, placeText } from "../../app/static/page/earth-place.mjs";
import { isTaken } from "../../app/static/dialogs/import-dialog.mjs";
import { Api } from "../../app/static/scene/transport.mjs";

const GROUND = { east: 500000, north: 5400000, step: [2, -2], lon: 9, lat: 48.75, turn: [[2e-5, 0], [0, -1.8e-5]] };
const SCENE = { id: "a", resolution: 2, anchor: { epsg: 32632, east: 500000, north: 5400000 } };

test("east and north are counted, degrees carried on", () => {
  const place = carried({ ...GROUND, x: 10, y: 10 }, 110, 60);
  assert.deepEqual([place.east, place.north], [500200, 5399900]);
  assert.ok(Math.abs(place.lon - 9.002) < 1e-9 && Math.abs(place.lat - 48.7491) < 1e-9);
});

test("a place is written with its hemispheres, and with decimetres where pixels are small", () => {
  assert.equal(placeText({ east: 500200, north: 5399900, lon: 9.002, lat: 48.7491 }, 2), "E 500200   N 5399900   48.74910° N 9.00200° E");
  assert.match(placeText({ east: 1.26, north: 2, lon: -70.5, lat: -33 }, 0.5), /^E 1\.3 {3}N 2\.0 {3}33\.00000° S 70\.50000° W$/);
});

test("the server is asked once, then again only for places away from what is known, after a rest", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [];
  const api = new Api(async (url) => {
    asked.push(url);
    return { ok: true, status: 200, text: async () => JSON.stringify(GROUND) };
  });
  let redrawn = 0;
  const earth = new EarthPlace(api, () => redrawn++);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  assert.equal(earth.text({ ...SCENE, anchor: null }, 0, 0), null);
  assert.equal(earth.text(SCENE, 0, 0), null, "not known yet");
  mock.timers.tick(1);
  await settle();
  assert.equal(redrawn, 1);
  assert.match(earth.text(SCENE, 3, 4), /^E 500006/);
  for (let x = 100; x < 900; x += 100) earth.text(SCENE, x, 0);
  mock.timers.tick(1000);
  await settle();
  assert.equal(asked.length, 2, "moving on asks for the last place alone");
  assert.match(asked[1], /place\?x=800&y=0$/);
  assert.deepEqual(earth.toScene(SCENE, 500000, 5400000), { x: 800, y: 0 });
  mock.timers.reset();
});

test("a place is taken where a picture would touch what is there", () => {
  assert.equal(isTaken(null, [0, 0, 9, 9]), false);
  assert.equal(isTaken([0, 0, 10, 10], [10, 0, 5, 5]), false);
  assert.equal(isTaken([0, 0, 10, 10], [9, 9, 5, 5]), true);
});
