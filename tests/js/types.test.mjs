import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const tsc = `${root}node_modules/typescript/bin/tsc`;
const missing = !existsSync(tsc) && process.env.CI !== "true";

test("the types of the page's modules hold", { skip: missing && "NOT RUN: TypeScript is not installed (npm ci)" }, () => {
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, "--project", `${root}jsconfig.json`], { encoding: "utf-8" });
  assert.equal(stdout + stderr, "");
});
