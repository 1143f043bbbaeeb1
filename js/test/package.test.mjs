// The packed packages, installed in an empty project: every code block of README.md and docs/javascript.md runs.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { blocks } from "./blocks.mjs";
import { modelPath, root } from "./support.mjs";

const project = fs.mkdtempSync(join(tmpdir(), "mobilebert-rt-"));
const installed = join(project, "node_modules/mobilebert-rt");
const run = (program, args, cwd = project) =>
  execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

// The models that the pages name, and small ones instead.
const MODELS = {
  nli: "zero-shot",
  squad: "answer",
  sst2: "classify",
  ner: "tag",
  mlm: "fill",
  "cross-encoder": "rank",
};
const MAX_SIZE = 1_500_000; // bytes; the two modules have 1,044,000

before(() => {
  for (const folder of [root, join(root, "model")]) run("npm", ["pack", "--pack-destination", project], folder);
  const archives = fs.readdirSync(project).filter((name) => name.endsWith(".tgz"));
  fs.writeFileSync(join(project, "package.json"), '{"private": true, "type": "module"}');
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", ...archives.map((name) => `./${name}`)]);
  for (const [name, small] of Object.entries(MODELS)) {
    fs.copyFileSync(modelPath(small), join(project, `${name}.safetensors`));
  }
});
after(() => fs.rmSync(project, { recursive: true, force: true }));

test("the package is small, complete, and depends on nothing", () => {
  const size = (path) =>
    fs.statSync(path).isDirectory()
      ? fs.readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0)
      : fs.statSync(path).size;
  const { dependencies, sideEffects } = JSON.parse(fs.readFileSync(join(installed, "package.json"), "utf8"));
  assert.deepEqual([dependencies, sideEffects], [undefined, false]);
  assert.deepEqual(fs.readdirSync(installed).sort(), ["LICENSE", "README.md", "dist", "package.json"]);
  assert.ok(size(installed) <= MAX_SIZE, `${size(installed)} bytes`);
  assert.deepEqual(fs.readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith(".")), [
    "mobilebert-rt",
    "mobilebert-rt-model",
  ]);
});

for (const { name, language, text } of blocks()) {
  if (language === "js" || language === "cjs") {
    test(`${name} runs`, () => {
      const file = language === "js" ? "block.mjs" : "block.cjs";
      fs.writeFileSync(join(project, file), text);
      const printed = run(process.execPath, [file]).trim().split("\n");
      // A line "console.log(...); // value" prints the value.
      const values = [...text.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map((found) => found[1]);
      for (const value of values) assert.ok(printed.includes(value), `${value} in ${printed}`);
    });
  }
}

test("types are found from ESM and from CommonJS", () => {
  const sources = {
    "esm.mts": `import { TextEmbedder, type Classification, InputError } from "mobilebert-rt";
      import model from "mobilebert-rt-model";
      const one: Promise<Float32Array> = TextEmbedder.fromPretrained(model).then((e) => e.embed("a"));
      const loading = TextEmbedder.fromPretrained(model, { normalize: true });
      const many: Promise<Float32Array[]> = loading.then((e) => e.embed(["a"]));
      const found: Classification = { label: "x", score: 1 };
      // @ts-expect-error
      TextEmbedder.fromPretrained(5);
      export { one, many, found, InputError };`,
    "cjs.cts": `import { TextEmbedder } from "mobilebert-rt";
      import model = require("mobilebert-rt-model");
      export const one: Promise<Float32Array> = TextEmbedder.fromPretrained(model).then((e) => e.embed("a"));`,
  };
  fs.mkdirSync(join(project, "types"));
  for (const [name, text] of Object.entries(sources)) fs.writeFileSync(join(project, "types", name), text);
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom"];
  run(process.execPath, [tsc, ...options, "types/esm.mts", "types/cjs.cts"]);
});
