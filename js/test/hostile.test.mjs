// Damaged model files: the errors of the Python package, and no trap that ends the instance.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { expected, files, modelBytes } from "./support.mjs";
import { InternalError, MobileBertError, TextEmbedder } from "mobilebert-rt";

/** A generator of numbers in [0, 1), the same in every run. */
function random(seed) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

test("every malformed file has the error of Python", async () => {
  assert.ok(Object.keys(expected.hostile).length > 100);
  for (const [name, found] of Object.entries(expected.hostile)) {
    const message = found.message.replace("18,446,744,073,709,551,615 outputs", "4,294,967,295 outputs"); // SIZE_MAX
    const bytes = readFileSync(`${files}hostile/${name}`);
    await assert.rejects(TextEmbedder.fromPretrained(bytes), { name: found.name, message });
  }
});

test("truncated files are errors", async () => {
  const whole = modelBytes("embed");
  for (let size = 0; size < whole.length; size += Math.ceil(whole.length / 60)) {
    await assert.rejects(TextEmbedder.fromPretrained(whole.subarray(0, size)), { name: "ModelFormatError" });
  }
});

test("files with changed bytes are errors, or run", async () => {
  const next = random(7);
  let opened = 0;
  for (let round = 0; round < 100; ++round) {
    const bytes = Uint8Array.from(modelBytes("embed"));
    const span = round % 2 ? bytes.length : 4000; // every other round, in the header
    for (let i = 0; i < 3; ++i) bytes[Math.floor(next() * span)] = Math.floor(next() * 256);
    try {
      const embedder = await TextEmbedder.fromPretrained(bytes);
      ++opened;
      await embedder.embed("the cat");
    } catch (error) {
      assert.ok(error instanceof MobileBertError && !(error instanceof InternalError), String(error));
    }
  }
  assert.ok(opened > 0 && opened < 100, String(opened));
});
