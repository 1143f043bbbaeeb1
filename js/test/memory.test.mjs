// Memory stays flat over many calls, and goes back when models are disposed of.
import assert from "node:assert/strict";
import { test } from "node:test";
import v8 from "node:v8";
import vm from "node:vm";
import { expected, modelPath } from "./support.mjs";
import { InputError, TextClassifier, TextEmbedder, ZeroShotClassifier } from "mobilebert-rt";

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc");

const PAGE = 65536; // of WebAssembly memory

async function settled() {
  for (let i = 0; i < 5; ++i) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage();
}

test("1,000 calls of random sizes take no more memory than the first 100", async () => {
  const embedder = await TextEmbedder.fromPretrained(modelPath("embed"));
  const chooses = await ZeroShotClassifier.fromPretrained(modelPath("zero-shot"));
  const classifier = await TextClassifier.fromPretrained(modelPath("classify"));
  const tasks = [embedder, chooses, classifier];
  let state = 1;
  const random = (below) => (state = (state * 48271) % 2147483647) % below;
  const text = () => "the cat 😀 was in paris ".repeat(random(40));
  const call = async () => {
    const texts = Array.from({ length: random(6) }, text);
    try {
      const kind = random(3);
      if (kind === 0) await embedder.embed(texts);
      else if (kind === 1) await chooses.classify(texts, ["cats", "dogs"], { multiLabel: random(2) === 0 });
      else await classifier.classify(texts); // long texts are errors
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
    }
  };
  const bytes = () => Promise.all(tasks.map((task) => task.memoryBytes()));
  for (let i = 0; i < 100; ++i) await call();
  const largest = new Array(6).fill("the cat 😀 was in paris ".repeat(40));
  await embedder.embed(largest);
  await chooses.classify(largest, ["cats", "dogs"]);
  await classifier.classify(largest, { onOverflow: "truncate" });
  const [first, before] = [await bytes(), await settled()];
  for (let i = 0; i < 1000; ++i) await call();
  const last = await bytes();
  for (const i of tasks.keys()) assert.ok(last[i] <= first[i] + 2 * PAGE, `${first[i]} -> ${last[i]}`);
  const { heapUsed, external } = await settled();
  assert.ok(heapUsed < before.heapUsed + 3e6, `${before.heapUsed} -> ${heapUsed}`);
  assert.ok(external < before.external + 3e6, `${before.external} -> ${external}`);
});

test("100 disposed models give their memory back", async () => {
  const load = async () => {
    const embedder = await TextEmbedder.fromPretrained(expected.default.path);
    await embedder.embed("a cat");
    return embedder;
  };
  await (await load()).dispose();
  const before = await settled();
  const kept = [];
  for (let i = 0; i < 100; ++i) {
    const embedder = await load();
    await embedder.dispose();
    kept.push(embedder); // the task itself may stay
    if (i % 10 === 9) await settled();
  }
  const { rss } = await settled();
  assert.ok(rss < before.rss + 100e6, `${before.rss} -> ${rss}`); // 100 models have 1.3 GB
});
