import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { StreamRest } from "../../app/static/scene/stream-rest.mjs";
import { Api, EventStream } from "../../app/static/scene/transport.mjs";

const answer = (status, body) => ({ ok: status < 400, status, text: async () => body });

test("an error is the server's own sentence", async () => {
  const api = new Api(async () => answer(409, '{"error": "The resolution is fixed."}'));
  await assert.rejects(api.post("/scenes", {}), { message: "The resolution is fixed.", status: 409 });
});

test("an answer without a sentence, and no answer at all, become sentences too", async () => {
  await assert.rejects(new Api(async () => answer(502, "<html>")).get("/model"), /error \(502\)/);
  const down = new Api(async () => {
    throw new TypeError("Failed to fetch");
  });
  await assert.rejects(down.get("/model"), { status: 0, message: /does not answer/ });
});

test("JSON goes as JSON, a file as it is, an empty answer is null", async () => {
  const sent = [];
  const api = new Api(async (url, options) => {
    sent.push([url, options]);
    return answer(204, "");
  });
  assert.equal(await api.call("DELETE", "/scenes/a"), null);
  await api.post("/x", { a: 1 });
  await api.post("/upload", new Blob(["t2e"]));
  assert.equal(sent[0][1].body, undefined);
  assert.equal(sent[1][1].headers["Content-Type"], "application/json");
  assert.ok(sent[2][1].body instanceof Blob);
});

/** What the browser's EventSource does, driven by hand. */
class Source extends EventTarget {
  readyState = 0;
  closed = false;
  close() {
    this.closed = true;
    this.readyState = 2;
  }
  fail(readyState) {
    this.readyState = readyState;
    this.dispatchEvent(new Event("error"));
  }
  send(name, data) {
    this.dispatchEvent(Object.assign(new Event(name), { data: JSON.stringify(data) }));
  }
}

/** A stream whose sources are counted, and what it has told. */
function listening() {
  const sources = [];
  const seen = [];
  const make = () => {
    sources.push(new Source());
    return sources.at(-1);
  };
  const handlers = { event: (name, data) => seen.push([name, data]), connected: (up) => seen.push(up), refused: () => seen.push("refused") };
  return { stream: new EventStream("/events", handlers, make), sources, seen };
}

test("the stream opens a new source after a refusal, later each time, and none after it is closed", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { stream, sources, seen } = listening();
  sources[0].dispatchEvent(new Event("open"));
  sources[0].send("scene", { revision: 1 });
  sources[0].fail(0); // the browser reconnects by itself
  assert.equal(sources.length, 1);
  sources[0].fail(2);
  mock.timers.tick(500);
  assert.equal(sources.length, 2);
  sources[0].send("scene", { revision: 9 });
  sources[1].fail(2);
  mock.timers.tick(999);
  assert.equal(sources.length, 2);
  mock.timers.tick(1);
  assert.equal(sources.length, 3);
  stream.close();
  sources[2].fail(2);
  mock.timers.tick(60000);
  assert.equal(sources.length, 3);
  assert.deepEqual(seen, [true, ["scene", { revision: 1 }], false, false, "refused", false, "refused"]);
  mock.timers.reset();
});

test("a stream that rests holds no connection, and listens again when it is woken", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { stream, sources, seen } = listening();
  stream.wake(); // it never slept
  stream.rest();
  stream.rest();
  assert.ok(sources[0].closed);
  sources[0].fail(2); // what is late changes nothing
  mock.timers.tick(60000);
  assert.deepEqual([sources.length, seen], [1, []]);
  stream.wake();
  stream.wake();
  sources[1].send("hello", {});
  assert.deepEqual([sources.length, seen], [2, [["hello", {}]]]);
  stream.rest();
  stream.close();
  stream.wake();
  assert.equal(sources.length, 2);
  mock.timers.reset();
});

test("a stream that was refused rests too: it does not try again behind a hidden page", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { stream, sources } = listening();
  sources[0].fail(2);
  stream.rest();
  mock.timers.tick(60000);
  assert.equal(sources.length, 1);
  stream.wake();
  assert.equal(sources.length, 2);
  mock.timers.reset();
});

test("the stream of a hidden page rests once the page waits for nothing, and wakes when it is seen", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const page = Object.assign(new EventTarget(), { hidden: false });
  const show = (seen) => {
    page.hidden = !seen;
    page.dispatchEvent(new Event("visibilitychange"));
  };
  const told = [];
  let busy = true;
  const rest = new StreamRest({ rest: () => told.push("rest"), wake: () => told.push("wake") }, () => busy, page);
  told.length = 0;
  mock.timers.tick(120000);
  assert.deepEqual(told, []); // seen: it listens
  show(false);
  mock.timers.tick(120000);
  assert.deepEqual(told, []); // an export is being written
  busy = false;
  mock.timers.tick(30000);
  assert.deepEqual(told, ["rest"]);
  show(true);
  assert.deepEqual(told, ["rest", "wake"]);
  show(false);
  mock.timers.tick(1000);
  show(true); // looked away for a moment
  mock.timers.tick(120000);
  assert.deepEqual(told, ["rest", "wake", "wake"]);
  rest.close();
  show(false);
  mock.timers.tick(120000);
  assert.deepEqual(told, ["rest", "wake", "wake"]);
  mock.timers.reset();
});
