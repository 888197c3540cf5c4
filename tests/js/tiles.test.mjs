import assert from "node:assert/strict";
import { test } from "node:test";
import { Coverage, allFilled } from "../../app/static/tiles/coverage.mjs";
import { TileCache } from "../../app/static/tiles/tile-cache.mjs";
import { BLOCK, TileIndex } from "../../app/static/tiles/tile-index.mjs";
import { TileLoader } from "../../app/static/tiles/tile-loader.mjs";

let live = 0;
function bitmap() {
  live += 1;
  let open = true;
  return {
    close() {
      assert.ok(open, "closed twice");
      open = false;
      live -= 1;
    },
  };
}

const tile = (revision = 1) => ({ bitmap: bitmap(), revision, born: 0 });
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("the cache never holds more bitmaps than its limit, and closes what it drops", () => {
  live = 0;
  const cache = new TileCache(10);
  for (let n = 0; n < 100; n++) {
    cache.set(`k${n}`, tile());
    assert.ok(live <= 10 && live === cache.size);
  }
  cache.clear();
  assert.equal(live, 0);
});

test("the cache drops what was used longest ago; replacing closes the old bitmap; peeking is no use", () => {
  live = 0;
  const cache = new TileCache(3);
  for (const key of ["a", "b", "c"]) cache.set(key, tile());
  cache.get("a");
  cache.peek("b");
  cache.set("d", tile());
  assert.deepEqual(["a", "b", "c", "d"].map((key) => Boolean(cache.peek(key))), [true, false, true, true]);
  cache.set("a", tile(2));
  assert.equal(live, 3);
  cache.clear();
});

test("the index asks once per block and again after a change there, keeping the old answer meanwhile", async () => {
  const asked = [];
  let revision = 1;
  const load = async (z, x0, y0) => {
    asked.push([z, x0, y0]);
    return [[3, 4, revision]];
  };
  const index = new TileIndex(load, () => {});
  const range = { x0: 0, y0: 0, x1: 5, y1: 5 };
  assert.ok(!index.isFresh(0, range));
  await Promise.all([index.ensure(0, range), index.ensure(0, range)]);
  await index.ensure(0, range);
  assert.deepEqual(asked, [[0, 0, 0]]);
  assert.equal(index.revision(0, 3, 4), 1);
  assert.equal(index.revision(0, 4, 4), undefined);

  revision = 2;
  index.invalidate([{ x: BLOCK * 256, y: 0, w: 10, h: 10 }]);
  assert.ok(index.isFresh(0, range), "a change in another block is none here");
  index.invalidate([{ x: 700, y: 900, w: 10, h: 10 }]);
  assert.ok(!index.isFresh(0, range));
  assert.equal(index.revision(0, 3, 4), 1);
  assert.ok(!index.isCurrent(0, 3, 4));
  const answer = index.ensure(0, range);
  assert.ok(!index.isFresh(0, range), "asked is not answered");
  await answer;
  assert.ok(index.isCurrent(0, 3, 4));
  assert.equal(index.revision(0, 3, 4), 2);
});

test("a change that arrives while a block is under way makes it stale again", async () => {
  let answer;
  const index = new TileIndex(() => new Promise((resolve) => (answer = resolve)), () => {});
  const range = { x0: 0, y0: 0, x1: 1, y1: 1 };
  const wait = index.ensure(0, range);
  await settled();
  index.invalidateAll();
  answer([[0, 0, 1]]);
  await wait;
  assert.ok(!index.isFresh(0, range));
});

test("whoever asks waits for the answer under way, and a later answer is never overtaken", async () => {
  const answers = [];
  const index = new TileIndex(() => new Promise((resolve) => answers.push(resolve)), () => {});
  const range = { x0: 0, y0: 0, x1: 1, y1: 1 };
  void index.ensure(0, range);
  const second = index.ensure(0, range).then(() => index.revision(0, 0, 0));
  await settled();
  index.invalidateAll();
  const third = index.ensure(0, range).then(() => index.revision(0, 0, 0));
  await settled();
  answers[0]([[0, 0, 1]]);
  assert.equal(await second, 1);
  await settled();
  answers[1]([[0, 0, 2]]);
  assert.equal(await third, 2);
});

test("a server that fails is asked a few times, not for ever", async () => {
  let asked = 0;
  const index = new TileIndex(async () => {
    asked += 1;
    throw new Error("down");
  }, () => {});
  for (let n = 0; n < 20; n++) await index.ensure(0, { x0: 0, y0: 0, x1: 1, y1: 1 });
  assert.ok(asked <= 5);
  index.invalidateAll();
  await index.ensure(0, { x0: 0, y0: 0, x1: 1, y1: 1 });
  assert.ok(asked <= 6);
});

const wish = (name, distance, revision = 1) => ({ key: name, layer: "rgb", z: 0, x: 0, y: 0, revision, distance });

test("the loader takes the nearest first, a few at a time, and leaves no bitmap of an aborted wish open", async () => {
  live = 0;
  const cache = new TileCache(10);
  const waiting = new Map();
  const fetchTile = (wanted, signal) =>
    new Promise((resolve) => waiting.set(signal, () => resolve(bitmap())));
  const loader = new TileLoader(fetchTile, cache, () => {});
  loader.want([9, 1, 5, 3, 7, 2].map((n) => wish(`k${n}`, n)));
  assert.equal(waiting.size, 4);
  loader.want([wish("k1", 1)]);
  const finish = (aborted) => {
    for (const [signal, done] of waiting) if (signal.aborted === aborted) done();
  };
  finish(true);
  await settled();
  assert.equal(live, 0);
  finish(false);
  await settled();
  assert.ok(cache.peek("k1"));
  assert.equal(cache.size, 1);
  assert.equal(live, 1);
  assert.ok(loader.idle);
});

test("a newer revision replaces an older one that is still under way", async () => {
  live = 0;
  const cache = new TileCache(10);
  const loader = new TileLoader(async () => bitmap(), cache, () => loader.want(left()));
  const left = () => (cache.peek("k")?.revision === 2 ? [] : [wish("k", 0, 2)]);
  loader.want([wish("k", 0, 1)]);
  loader.want([wish("k", 0, 2)]);
  await settled();
  assert.equal(cache.peek("k").revision, 2);
  assert.equal(live, 1);
});

test("what could not be fetched is asked for again once the server is back", async () => {
  const cache = new TileCache(10);
  let up = false;
  const loader = new TileLoader(async () => {
    if (!up) throw new Error("down");
    return bitmap();
  }, cache, () => {});
  for (let n = 0; n < 6; n++) {
    loader.want([wish("k", 0, 1)]);
    await settled();
  }
  up = true;
  loader.want([wish("k", 0, 1)]);
  await settled();
  assert.ok(!cache.peek("k"), "not for ever");
  loader.forgive();
  loader.want([wish("k", 0, 1)]);
  await settled();
  assert.ok(cache.peek("k"));
});

test("a tile fades in when it first appears, and stands at once when it replaces another", async () => {
  const cache = new TileCache(10);
  const loader = new TileLoader(async () => bitmap(), cache, () => {});
  const before = performance.now();
  loader.want([wish("k", 0, 1)]);
  await settled();
  const { born } = cache.peek("k");
  assert.ok(born >= before);
  loader.want([wish("k", 0, 2)]);
  await settled();
  assert.equal(cache.peek("k").revision, 2);
  assert.equal(cache.peek("k").born, born);
});

test("coverage knows a frame that is filled across tiles from one with a single empty cell", async () => {
  const index = new TileIndex(async () => [[-1, 0, 1], [0, 0, 1]], () => {});
  const full = new Uint8Array(32 * 32).fill(1);
  const holed = full.slice();
  holed[5 * 32 + 2] = 0;
  const coverage = new Coverage(index, async (x) => (x === 0 ? holed : full));
  assert.ok(await coverage.isFull({ x: -256, y: 0, w: 256, h: 256 }));
  assert.ok(await coverage.isFull({ x: -64, y: 0, w: 80, h: 64 }));
  assert.ok(!(await coverage.isFull({ x: -64, y: 0, w: 88, h: 64 })));
  assert.ok(!(await coverage.isFull({ x: 0, y: -8, w: 8, h: 16 })), "no tile above");
  assert.ok(!allFilled(holed, { x: 0, y: 0, w: 32, h: 32 }));
});
