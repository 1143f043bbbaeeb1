// The engines that are compared, for Node and for pages. Each loads a model and returns { run, vector, close }: run does
// the work that is timed, vector makes an array of its last result, which is compared between engines.
//
// base: address of the folder that has models and packages; it ends with a slash.

export const isNode = typeof process === "object" && process.versions?.node !== undefined;

async function bytes(address) {
  if (!isNode) return new Uint8Array(await (await fetch(address)).arrayBuffer());
  const { readFile } = await import("node:fs/promises");
  return new Uint8Array(await readFile(new URL(address)));
}

async function ours({ base, model, variant, threads, task, text, labels }) {
  const { TextEmbedder, ZeroShotClassifier } = await import(`${base}mobilebert-rt/dist/esm/index.js`);
  const source = `${base}models/${model}/ours.int8.safetensors`;
  const options = variant === undefined ? {} : { variant, threads };
  const found = await (task === "embed" ? TextEmbedder : ZeroShotClassifier).fromPretrained(source, options);
  return {
    run: task === "embed" ? () => found.embed(text, { normalize: true }) : () => found.classify(text, labels),
    vector: (result) => (task === "embed" ? Array.from(result) : inOrder(labels, result)),
    close: () => found.dispose(),
  };
}

/** ONNX Runtime Web: token ids in, the last hidden state out. */
async function onnxruntime({ base, model, file, ids }) {
  const name = isNode ? "ort.node.min.mjs" : "ort.wasm.bundle.min.mjs";
  const ort = await import(`${base}node_modules/onnxruntime-web/dist/${name}`);
  ort.env.wasm.numThreads = 1;
  const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
  const session = await ort.InferenceSession.create(await bytes(`${base}models/${model}/onnx/${file}`), options);
  const tensor = (values) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, ids.length]);
  const feeds = { input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) };
  return {
    run: () => session.run(feeds),
    vector: ({ last_hidden_state: state }) => meanOfRows(state.data, ids.length),
    close: () => session.release(),
  };
}

/** transformers.js: WebAssembly in a page, native ONNX Runtime in Node. */
async function transformers({ base, model, task, text, labels }) {
  const folder = `${base}node_modules/@huggingface/transformers/`;
  const { env, pipeline } = await import(`${folder}dist/transformers.${isNode ? "node" : "min"}.${isNode ? "mjs" : "js"}`);
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = new URL(`${base}models/`).pathname;
  if (!isNode) {
    env.backends.onnx.wasm.wasmPaths = `${folder}node_modules/onnxruntime-web/dist/`;
    env.backends.onnx.wasm.numThreads = 1;
  }
  const session_options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  const options = { dtype: "q8", device: isNode ? "cpu" : "wasm", session_options };
  const name = task === "embed" ? "feature-extraction" : "zero-shot-classification";
  const found = await pipeline(name, model, options);
  return {
    run: task === "embed" ? () => found(text, { pooling: "mean", normalize: true }) : () => found(text, labels),
    vector: (result) => (task === "embed" ? Array.from(result.data) : inOrder(labels, result)),
    close: () => found.dispose(),
  };
}

const inOrder = (labels, { labels: sorted, scores }) => labels.map((label) => scores[sorted.indexOf(label)]);

function meanOfRows(rows, count) {
  const sums = Array(rows.length / count).fill(0);
  rows.forEach((value, i) => (sums[i % sums.length] += value));
  const norm = Math.hypot(...sums);
  return sums.map((sum) => sum / norm);
}

export const load = (entry) => ({ ours, onnxruntime, transformers })[entry.engine](entry);
