import { createWorker, ZeroShotClassifier } from "/mobilebert-rt/dist/esm/index.js";

const [text, labels, status, found] = ["text", "labels", "status", "found"].map((id) => document.getElementById(id));
const classifier = await ZeroShotClassifier.fromPretrained("/nli.safetensors", { worker: createWorker() });

let call = new AbortController();

async function classify() {
  call.abort();
  call = new AbortController();
  const { signal } = call;
  const wanted = labels.value.split(",").map((label) => label.trim()).filter(Boolean);
  try {
    const started = performance.now();
    const result = await classifier.classify(text.value, wanted, { signal, batchSize: 1 });
    status.textContent = `${Math.round(performance.now() - started)} ms`;
    found.replaceChildren(...result.labels.map((label, i) => bar(label, result.scores[i])));
  } catch (error) {
    if (!signal.aborted) status.textContent = error.message;
  }
}

function bar(label, score) {
  const item = document.createElement("li");
  const name = Object.assign(document.createElement("span"), { textContent: label });
  item.append(name, Object.assign(document.createElement("meter"), { value: score, title: score.toFixed(3) }));
  return item;
}

for (const field of [text, labels]) field.addEventListener("input", classify);
await classify();
