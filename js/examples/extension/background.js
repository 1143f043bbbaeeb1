// A context menu for selected text: the topic whose description is nearest to it, shown in a corner of the page.
import { TextEmbedder } from "./mobilebert-rt/dist/esm/index.js";

const TOPICS = {
  sport: "sport, matches, players and results",
  politics: "politics, governments, parliaments and elections",
  science: "science, nature and research",
  cooking: "cooking, recipes and food",
  travel: "travel, trains, flights and holidays",
};

// The browser ends this script when it is idle, and starts it again: the model is loaded at first use.
let loading;

async function load() {
  const embedder = await TextEmbedder.fromPretrained(chrome.runtime.getURL("model.int8.safetensors"));
  return { embedder, vectors: await embedder.embed(Object.values(TOPICS)) };
}

async function topicOf(text) {
  const { embedder, vectors } = await (loading ??= load());
  const vector = await embedder.embed(text);
  const scores = vectors.map((topic) => topic.reduce((sum, value, i) => sum + value * vector[i], 0));
  return Object.keys(TOPICS)[scores.indexOf(Math.max(...scores))];
}

/** Runs in the page. */
function show(topic) {
  const box = document.createElement("output");
  Object.assign(box, { id: "topic-of-selection", textContent: `Topic: ${topic}` });
  box.style.cssText =
    "position:fixed;inset:auto 1rem 1rem auto;padding:.5rem 1rem;border-radius:.5rem;font:16px system-ui;" +
    "background:#1458a8;color:#fff;z-index:2147483647";
  document.getElementById(box.id)?.remove();
  document.body.append(box);
}

chrome.runtime.onInstalled.addListener(() => {
  chrome.contextMenus.create({ id: "label", title: "Label the selected text", contexts: ["selection"] });
});

chrome.contextMenus.onClicked.addListener(async ({ selectionText }, tab) => {
  const topic = await topicOf(selectionText);
  await chrome.scripting.executeScript({ target: { tabId: tab.id }, func: show, args: [topic] });
});
