// Streams, aborts, timeouts, progress, dispose, sources, errors: the same in this thread and in a worker.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { expected, modelBytes, modelPath, plain, root } from "./support.mjs";
import {
  createWorker,
  DisposedError,
  InputError,
  LoadError,
  MobileBertError,
  ModelFormatError,
  Reranker,
  TextClassifier,
  TextEmbedder,
  TimeoutError,
  UnsupportedModelError,
  ZeroShotClassifier,
} from "mobilebert-rt";

const vectors = expected.results.int8.embed.plain;
const many = Array.from({ length: 400 }, (_, i) => `the cat ${i} was in paris`);

for (const place of ["thread", "worker"]) {
  describe(place, () => {
    const how = {};
    before(() => {
      if (place === "worker") how.worker = createWorker();
    });
    after(() => how.worker?.terminate());
    const embedder = () => TextEmbedder.fromPretrained(modelPath("embed"), how);

    test("a stream takes iterables and makes results as they are asked for", async () => {
      const embed = await embedder();
      let read = 0;
      async function* source() {
        for (const text of many) {
          ++read;
          yield text;
        }
      }
      let made = 0;
      for await (const vector of embed.stream(source(), { batchSize: 8 })) {
        assert.equal(vector.length, embed.info.embeddingSize);
        if (++made === 16) break;
      }
      assert.equal(read, 16);
      const all = [];
      for await (const vector of embed.stream(new Set(expected.texts))) all.push(plain(vector));
      assert.deepEqual(all, vectors);
    });

    test("batches do not change results, and are reported", async () => {
      const embed = await embedder();
      const reports = [];
      const progress = (done, total) => reports.push([done, total]);
      const found = await embed.embed(expected.texts, { batchSize: 4, progress });
      assert.deepEqual(plain(found), vectors);
      assert.deepEqual(reports, [[4, 9], [8, 9], [9, 9]]);
    });

    test("a long text is a batch of its own, and batches with a signal are smaller", async () => {
      const embed = await embedder();
      const ends = async (texts, options = {}) => {
        const found = [];
        await embed.embed(texts, { onOverflow: "stride", progress: (done) => found.push(done), ...options });
        return found;
      };
      const short = new Array(10).fill("cat");
      assert.deepEqual(await ends([...short, "cat ".repeat(1500), ...short]), [10, 11, 21]);
      const { signal } = new AbortController();
      const [watched, others] = [await ends(many, { signal }), await ends(many)];
      assert.ok(watched[0] * 3 < others[0], `${watched[0]}, ${others[0]}`);
      assert.deepEqual([watched.at(-1), others.at(-1)], [many.length, many.length]);
    });

    test("an abort stops a call, and the model remains usable", async () => {
      const embed = await embedder();
      await assert.rejects(embed.embed(many, { signal: AbortSignal.abort() }), { name: "AbortError" });
      const controller = new AbortController();
      const reports = [];
      const progress = (done) => {
        reports.push(done);
        controller.abort(new Error("enough"));
      };
      const running = embed.embed(many, { batchSize: 1, signal: controller.signal, progress });
      await assert.rejects(running, { message: "enough" });
      assert.ok(reports.at(-1) < many.length);
      assert.deepEqual(plain(await embed.embed(expected.texts)), vectors);
    });

    test("an abort stops loading", async () => {
      const signal = AbortSignal.abort();
      await assert.rejects(TextEmbedder.fromPretrained(modelPath("embed"), { ...how, signal }), { name: "AbortError" });
    });

    test("a call times out", async () => {
      const embed = await embedder();
      await assert.rejects(embed.embed(many, { timeout: 0 }), TimeoutError);
      await assert.rejects(async () => {
        for await (const _ of embed.stream(many, { timeout: 0 }));
      }, TimeoutError);
      assert.equal((await embed.embed(["a"], { timeout: 600_000 })).length, 1);
    });

    test("calls at the same time do not disturb each other", async () => {
      const embed = await embedder();
      const calls = Array.from({ length: 5 }, () => embed.embed(expected.texts, { batchSize: 2 }));
      for (const found of await Promise.all(calls)) assert.deepEqual(plain(found), vectors);
    });

    test("after dispose every call is an error", async () => {
      const embed = await embedder();
      const other = await embedder();
      const running = assert.rejects(embed.embed(many, { batchSize: 1 }), DisposedError);
      await embed.dispose();
      await embed.dispose();
      await assert.rejects(embed.embed("a"), DisposedError);
      await assert.rejects(embed.memoryBytes(), DisposedError);
      await running;
      assert.deepEqual(plain(await other.embed(expected.texts)), vectors);
    });

    test("options of fromPretrained hold for every call, unless the call has others", async () => {
      const embed = await TextEmbedder.fromPretrained(modelPath("embed"), { ...how, truncateDim: 3 });
      assert.equal((await embed.embed("cat")).length, 3);
      assert.equal((await embed.embed("cat", { truncateDim: 2 })).length, 2);
    });

    test("errors of the engine have their class and message", async () => {
      const classify = await TextClassifier.fromPretrained(modelPath("classify"), how);
      const long = "cat ".repeat(100);
      await assert.rejects(classify.classify(long), (error) => {
        assert.ok(error instanceof InputError && error instanceof MobileBertError);
        assert.equal(error.code, "MBRT_ERROR_INPUT");
        assert.match(error.message, /102 tokens/);
        return true;
      });
      await assert.rejects(classify.classify([..."abc", long], { batchSize: 2 }), /batch that begins with input 2: /);
      assert.equal((await classify.classify(long, { onOverflow: "truncate" })).length, 3);
      const load = (type, model) => type.fromPretrained(modelPath(model), how);
      const rank = await load(Reranker, "classify");
      await assert.rejects(rank.rank("a", ["b"]), UnsupportedModelError);
      const chooses = await load(ZeroShotClassifier, "zero-shot");
      await assert.rejects(chooses.classify("a", []), /candidate_labels: found none/);
      await assert.rejects(chooses.classify("a", ["x"], { hypothesisTemplate: "no place" }), InputError);
      await assert.rejects(TextEmbedder.fromPretrained(new Uint8Array(100), how), ModelFormatError);
      await assert.rejects(TextEmbedder.fromPretrained(modelPath("none"), how), LoadError);
      await assert.rejects(TextEmbedder.fromPretrained(root, how), /a folder; expected a model file/);
    });

    describe("over HTTP", () => {
      let server, address;
      before(async () => {
        server = createServer((request, response) => {
          const bytes = modelBytes("embed");
          if (request.url === "/missing") return response.writeHead(404).end("no");
          const length = { "/known": bytes.length, "/cut": bytes.length + 5 }[request.url];
          response.writeHead(200, length === undefined ? {} : { "Content-Length": length });
          response.write(bytes);
          request.url === "/cut" ? setTimeout(() => response.destroy(), 50) : response.end();
        });
        await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
        address = `http://127.0.0.1:${server.address().port}`;
      });
      after(() => server.close());

      for (const [path, size] of [["known", modelBytes("embed").length], ["unknown", undefined]]) {
        test(`a file of ${path} size, with progress`, async () => {
          const reports = [];
          const progress = (report) => reports.push(report);
          const embed = await TextEmbedder.fromPretrained(`${address}/${path}`, { ...how, progress });
          assert.deepEqual(plain(await embed.embed(expected.texts)), vectors);
          assert.deepEqual({ ...reports.at(-1) }, { loaded: modelBytes("embed").length, total: size });
        });
      }
      test("a Response", async () => {
        const embed = await TextEmbedder.fromPretrained(await fetch(`${address}/known`), how);
        assert.deepEqual(plain(await embed.embed(expected.texts)), vectors);
      });
      test("errors", async () => {
        const load = (path) => TextEmbedder.fromPretrained(address + path, how);
        await assert.rejects(load("/missing"), /missing: HTTP 404 Not Found; expected a file/);
        await assert.rejects(load("/cut"));
        await assert.rejects(TextEmbedder.fromPretrained("http://127.0.0.1:1/model", how), LoadError);
      });
    });

    test("a model comes from bytes, a view, a Blob or a URL", async () => {
      const bytes = modelBytes("embed");
      const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
      const padded = new Uint8Array(bytes.length + 3);
      padded.set(bytes, 3);
      const sources = [buffer, padded.subarray(3), new Blob([buffer]), pathToFileURL(modelPath("embed"))];
      for (const source of sources) {
        const embed = await TextEmbedder.fromPretrained(source, how);
        padded.fill(0, 0, 3);
        assert.deepEqual(plain(await embed.embed(expected.texts)), vectors);
      }
      assert.equal(buffer.byteLength, bytes.length); // not taken away
    });
  });
}

test("the model is read while the module arrives, up to 4 MB of it", async () => {
  const limit = 4 << 20;
  const chunk = 1 << 20;
  let loaded = 0;
  let letArrive;
  const mayArrive = new Promise((resolve) => (letArrive = resolve));
  const body = new ReadableStream({
    async start(controller) {
      await mayArrive;
      assert.ok(loaded <= limit + chunk, `${loaded} bytes`);
      controller.enqueue(readFileSync(`${root}dist/wasm/mobilebert_rt.wasm`));
      controller.close();
    },
  });
  const embedder = await TextEmbedder.fromPretrained(expected.default.path, {
    wasm: new Response(body, { headers: { "Content-Type": "application/wasm" } }),
    variant: "simd",
    progress: (report) => {
      loaded = report.loaded;
      if (loaded > limit) setImmediate(letArrive);
    },
  });
  assert.deepEqual(plain(await embedder.embed(expected.texts)), expected.default.vectors);
  await embedder.dispose();
});

test("a worker that is terminated ends its calls", async () => {
  const worker = createWorker();
  const embed = await TextEmbedder.fromPretrained(modelPath("embed"), { worker });
  const running = assert.rejects(embed.embed(many, { batchSize: 1 }), DisposedError);
  await worker.terminate();
  await running;
  await assert.rejects(embed.embed("a"), DisposedError);
  await embed.dispose();
});

test("wrong arguments name what was found and what is expected", async () => {
  const embed = await TextEmbedder.fromPretrained(modelPath("embed"));
  const cases = [
    [() => embed.embed(5), "text: found 5; expected a text"],
    [() => embed.embed(["a", null]), "texts[1]: found null; expected a text"],
    [() => embed.embed("a", { topK: 1 }), 'options: found "topK"; expected maxLength'],
    [() => embed.embed("a", { truncateDim: 0.5 }), "truncateDim: found 0.5; expected a whole number of at least 1."],
    [() => embed.embed("a", { onOverflow: "cut" }), 'onOverflow: found "cut"; expected error, truncate, stride.'],
    [() => embed.embed("a", { signal: {} }), "signal: found an object; expected an AbortSignal."],
    [() => embed.embed("a", { prompt: "a\0b" }), "prompt: found a zero character"],
    [() => TextEmbedder.fromPretrained(), "source: found undefined; expected bytes, a URL, a path, a Blob or a"],
    [() => TextEmbedder.fromPretrained(modelPath("embed"), { topK: 1 }), 'options: found "topK"'],
  ];
  for (const [call, message] of cases) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof MobileBertError, String(error));
      assert.ok(error.message.startsWith(message), error.message);
      return true;
    });
  }
  assert.deepEqual(await embed.embed([]), []);
});
