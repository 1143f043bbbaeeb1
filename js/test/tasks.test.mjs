// Every task has the results of the Python package, bit for bit: in this thread with each module, and in a worker.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, describe, test } from "node:test";
import { expected, modelPath, plain, relaxedFlags, root } from "./support.mjs";
import {
  createWorker,
  FillMask,
  QuestionAnswerer,
  Reranker,
  support,
  TextClassifier,
  TextEmbedder,
  TokenClassifier,
  Tokenizer,
  ZeroShotClassifier,
} from "mobilebert-rt";

const { texts, labels, question, fills } = expected;
const contexts = texts.filter((text) => text !== "");

const ways = [
  { name: "plain SIMD", variant: "simd" },
  { name: "worker", worker: createWorker() },
];
if (support().relaxedSimd) ways.push({ name: "relaxed SIMD", variant: "relaxed" });
after(() => ways[1].worker.terminate());

for (const { name, ...how } of ways) {
  for (const [precision, results] of Object.entries(expected.results)) {
    describe(`${name}, ${precision}`, () => {
      const using = (type, model, body) =>
        test(`${type.name} ${model}`, async () => {
          const task = await type.fromPretrained(modelPath(model, precision), how);
          try {
            await body(task);
          } finally {
            await task.dispose();
          }
        });

      for (const model of ["embed", "sentence"]) {
        using(TextEmbedder, model, async (task) => {
          assert.deepEqual(plain(await task.embed(texts)), results[model].plain);
          const options = { truncateDim: 5, normalize: true, prompt: "who " };
          assert.deepEqual(plain(await task.embed(texts, options)), results[model].options);
          const stride = { maxLength: 9, onOverflow: "stride", stride: 2 };
          assert.deepEqual(plain(await task.embed(texts, stride)), results[model].stride);
          assert.deepEqual(plain(await task.embed(texts[0])), results[model].plain[0]);
        });
      }
      using(TextEmbedder, "sentence", async (task) => {
        assert.deepEqual(plain(await task.embed(texts, { promptName: "query" })), results.passage);
      });
      using(TextClassifier, "classify", async (task) => {
        assert.deepEqual(task.info.labels, ["bad", "neither", "good ✓"]);
        assert.deepEqual(await task.classify(texts), results.classify);
        const [found] = await task.classify([[texts[0], texts[2]]], { topK: 2, functionToApply: "none" });
        assert.deepEqual(found, results.classifyPairs);
      });
      using(ZeroShotClassifier, "zero-shot", async (task) => {
        assert.deepEqual(await task.classify(texts, labels), results.zeroShot);
        const options = { multiLabel: true, hypothesisTemplate: "{}?" };
        assert.deepEqual(await task.classify(texts, labels, options), results.multiLabel);
        assert.deepEqual(await task.classify(texts[0], labels), results.zeroShot[0]);
      });
      using(TokenClassifier, "tag", async (task) => {
        for (const [aggregation, entities] of Object.entries(results.tag)) {
          assert.deepEqual(await task.tag(texts, { aggregation }), entities);
        }
        for (const entity of (await task.tag(texts))[4]) {
          assert.equal(texts[4].slice(entity.start, entity.end), entity.text);
        }
      });
      using(QuestionAnswerer, "answer", async (task) => {
        const answers = [];
        for (const context of contexts) answers.push(await task.answer(question, context, { topK: 3 }));
        assert.deepEqual(answers, results.answer);
        const pairs = contexts.map((context) => [question, context]);
        const streamed = [];
        for await (const found of task.stream(pairs, { allowNoAnswer: true })) streamed.push(found);
        assert.deepEqual(streamed, results.noAnswer);
        assert.deepEqual(await task.answer([question, question], contexts[0], { topK: 3 }), [answers[0], answers[0]]);
      });
      using(FillMask, "fill", async (task) => {
        assert.deepEqual(await task.fill(fills), results.fill);
        assert.deepEqual(await task.fill(fills, { targets: ["notes", "cat"], topK: 2 }), results.targets);
      });
      using(Reranker, "rank", async (task) => {
        assert.deepEqual(await task.rank(question, texts, { topK: 5 }), results.rank);
        assert.deepEqual(plain(await task.scores(texts.map((text) => [question, text]))), results.scores);
      });
      using(Tokenizer, "embed", async (task) => {
        const inputs = [...texts, [texts[2], texts[4]]];
        assert.deepEqual(plain(await task.encode(inputs)), expected.encodings);
        assert.deepEqual(plain(await task.tokenize(texts[2], texts[4])), expected.encodings.at(-1));
      });
    });
  }
  test(`default model, ${name}`, async () => {
    const embedder = await TextEmbedder.fromPretrained(expected.default.path, how);
    assert.deepEqual(plain(await embedder.embed(texts)), expected.default.vectors);
    assert.equal(embedder.info.embeddingSize, 384);
    assert.equal(embedder.info.isa.includes("relaxed"), embedder.info.variant === "relaxed");
    await embedder.dispose();
  });
}

// A flag of V8 for x86.
const skip = process.arch !== "x64" || !support().relaxedSimd;
test("where relaxed_madd rounds twice, plain kernels give the same results and a note says so", { skip }, () => {
  const script = `
    import { TextEmbedder } from "mobilebert-rt";
    const embedder = await TextEmbedder.fromPretrained(process.argv[1]);
    const vectors = (await embedder.embed(JSON.parse(process.argv[2]))).map((vector) => Array.from(vector));
    console.log(JSON.stringify({ info: embedder.info, vectors }));`;
  const flags = [...relaxedFlags, "--no-enable-fma3", "--input-type=module", "--eval", script];
  const options = { cwd: root, encoding: "utf8" };
  const texts = JSON.stringify(expected.texts);
  const printed = execFileSync(process.execPath, [...flags, expected.default.path, texts], options);
  const { info, vectors } = JSON.parse(printed);
  assert.deepEqual([info.variant, info.isa], ["relaxed", "wasm_simd128"]);
  assert.match(info.notes[0], /rounds twice in relaxed_madd/);
  assert.deepEqual(vectors, expected.default.vectors);
});
