// Texts that only JavaScript can hold, and offsets in UTF-16 units.
import assert from "node:assert/strict";
import { test } from "node:test";
import { modelPath, plain } from "./support.mjs";
import { QuestionAnswerer, TextEmbedder, TokenClassifier, Tokenizer } from "mobilebert-rt";

const LONE = "\ud83d the cat \udc00 in Paris \ud83d\ude00\ud83d";

test("lone surrogates are read as U+FFFD and stay in results", async () => {
  const embedder = await TextEmbedder.fromPretrained(modelPath("embed"));
  const replaced = LONE.replaceAll(/\ud83d(?!\ude00)|(?<!\ud83d)[\udc00-\udfff]/g, "\ufffd");
  assert.notEqual(replaced, LONE);
  assert.deepEqual(plain(await embedder.embed(LONE)), plain(await embedder.embed(replaced)));
  const tagger = await TokenClassifier.fromPretrained(modelPath("tag"));
  const entities = await tagger.tag(LONE, { aggregation: "none" });
  assert.ok(entities.length > 0);
  for (const { start, end, text } of entities) assert.equal(LONE.slice(start, end), text);
});

test("offsets of every token are UTF-16 units", async () => {
  const tokenizer = await Tokenizer.fromPretrained(modelPath("embed"));
  for (const text of [LONE, "😀cat", "東京 cat's", "é\u0301 cat 👨‍👩‍👧dog", "a".repeat(300)]) {
    const { tokens, offsets } = await tokenizer.encode(text);
    tokens.forEach((token, i) => {
      if (/^[a-z]+$/.test(token)) assert.equal(text.slice(...offsets[i]).toLowerCase().normalize("NFD")[0], token[0]);
    });
  }
});

test("an answer in a text with emoji is cut out exactly", async () => {
  const answerer = await QuestionAnswerer.fromPretrained(modelPath("answer"));
  const context = "😀😀 Ada 😀 Lovelace wrote the notes 東京";
  for (const { start, end, text } of await answerer.answer("who?", context, { topK: 10 })) {
    assert.equal(context.slice(start, end), text);
    assert.doesNotMatch(text, /^[\udc00-\udfff]|[\ud800-\udbff]$/);
  }
});

test("texts of many kinds give vectors of length 1", async () => {
  const embedder = await TextEmbedder.fromPretrained(modelPath("embed"));
  const texts = ["", "\0", "\u202e\ufeff", "x".repeat(100_000), "[MASK][CLS]", "\n".repeat(1000), "\u{10ffff}"];
  for (const vector of await embedder.embed(texts)) {
    assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-5);
  }
});
