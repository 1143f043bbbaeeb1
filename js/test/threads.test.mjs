// Threads of one model: the same bits with any number of them, here and in a worker.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { expected, modelPath, plain, relaxedFlags, root } from "./support.mjs";
import { createWorker, InputError, InternalError, support, TextEmbedder, ZeroShotClassifier } from "mobilebert-rt";

const long = Array.from({ length: 24 }, (_, i) => `text ${i}: ${"the cat was in paris ".repeat(i)}`);

describe("bits", () => {
  for (const precision of ["int8", "fp32"]) {
    for (const variant of ["simd", "relaxed"]) {
      test(`${precision}, ${variant}`, async () => {
        const vectors = expected.results[precision].embed.plain;
        const path = modelPath("embed", precision);
        let first;
        for (const threads of [1, 2, 3]) {
          for (const worker of [undefined, createWorker()]) {
            const embedder = await TextEmbedder.fromPretrained(path, { threads, variant, worker });
            assert.equal(embedder.info.threads, threads);
            assert.deepEqual(plain(await embedder.embed(expected.texts)), vectors);
            const found = plain(await embedder.embed(long, { onOverflow: "truncate" }));
            first ??= found;
            assert.deepEqual(found, first);
            await embedder.dispose();
            await worker?.terminate();
          }
        }
      });
    }
  }

  test("the default model, with two models at once", async () => {
    const models = await Promise.all(
      [2, 4].map((threads) => TextEmbedder.fromPretrained(expected.default.path, { threads })),
    );
    for (let i = 0; i < 5; ++i) {
      const found = await Promise.all(models.map((model) => model.embed(expected.texts)));
      for (const vectors of found) assert.deepEqual(plain(vectors), expected.default.vectors);
    }
    await Promise.all(models.map((model) => model.dispose()));
  });

  test("pairs of a text with labels", async () => {
    const scores = async (threads) => {
      const classifier = await ZeroShotClassifier.fromPretrained(modelPath("zero-shot"), { threads });
      const found = await classifier.classify(expected.texts, ["cats", "dogs", "towns"]);
      await classifier.dispose();
      return plain(found);
    };
    assert.deepEqual(await scores(2), await scores(1));
  });
});

test("a program of one line has threads and workers, and ends while they wait", () => {
  const program = `import { createWorker, TextEmbedder } from "${root}dist/esm/index.js";
    for (const options of [{ threads: 3 }, { worker: createWorker(), threads: 2 }]) {
      const embedder = await TextEmbedder.fromPretrained(${JSON.stringify(modelPath("embed"))}, options);
      console.log((await embedder.embed("a cat")).length);
    }`;
  const options = [...relaxedFlags, "--input-type=module", "--eval", program];
  const found = execFileSync(process.execPath, options, { encoding: "utf8", timeout: 120_000 });
  const { length } = expected.results.int8.embed.plain[0];
  assert.equal(found, `${length}\n${length}\n`);
});

test("a trap in a thread ends the calls that wait for it", async () => {
  const embedder = await TextEmbedder.fromPretrained(modelPath("embed"), { threads: 2 });
  await embedder.embed(long, { onOverflow: "truncate" });
  embedder.runner.engine.exports.report_thread_trap(); // as src/thread.ts does
  await assert.rejects(async () => {
    for (let i = 0; i < 10_000; ++i) await embedder.embed(long, { onOverflow: "truncate" });
  }, InternalError);
  await embedder.dispose();
});

test("wrong numbers of threads, and modules that cannot have more than one", async () => {
  assert.equal(support().threads, true);
  const load = (options) => TextEmbedder.fromPretrained(modelPath("embed"), options);
  for (const threads of [0, -1, 1.5, 65, "2", null]) {
    await assert.rejects(load({ threads }), (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, /^threads: found .*; expected a whole number from 1 to 64\.$/);
      return true;
    });
  }
  const bytes = readFileSync(`${root}dist/wasm/mobilebert_rt.wasm`);
  const wasm = await WebAssembly.compile(bytes);
  await assert.rejects(load({ wasm, threads: 2 }), /wasm: found a compiled module; expected its bytes/);
  await assert.rejects(load({ wasm: new ArrayBuffer(8), threads: 2 }), /found no import of a memory; expected a WebAssembly/);
  for (const given of [{ wasm }, { wasm: bytes, threads: 2 }]) {
    const embedder = await load(given);
    assert.deepEqual(plain(await embedder.embed(expected.texts)), expected.results.int8.embed.plain);
    await embedder.dispose();
  }
});
