import { createWorker, QuestionAnswerer } from "/mobilebert-rt/dist/esm/index.js";

const [question, status, article] = ["question", "status", "article"].map((id) => document.getElementById(id));
const answerer = await QuestionAnswerer.fromPretrained("/squad.safetensors", { worker: createWorker() });

let call = new AbortController();

async function answer() {
  call.abort();
  call = new AbortController();
  const { signal } = call;
  article.querySelectorAll("mark").forEach((mark) => mark.replaceWith(...mark.childNodes));
  article.normalize();
  try {
    const [best] = await answerer.answer(question.value, article.textContent, { signal });
    status.textContent = best === undefined ? "No answer" : `${best.text} (${best.score.toFixed(3)})`;
    if (best !== undefined) highlight(best.start, best.end);
  } catch (error) {
    if (!signal.aborted) status.textContent = error.message;
  }
}

/** Marks the characters [start, end) of the article's text. */
function highlight(start, end) {
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  const parts = [];
  for (let at = 0; walker.nextNode(); at += walker.currentNode.length) {
    const { currentNode: node } = walker;
    const from = Math.max(0, start - at);
    const to = Math.min(node.length, end - at);
    if (from < to && node.data.slice(from, to).trim()) parts.push([node, from, to]);
  }
  for (const [node, from, to] of parts) {
    const range = document.createRange();
    range.setStart(node, from);
    range.setEnd(node, to);
    range.surroundContents(document.createElement("mark"));
  }
}

question.addEventListener("input", answer);
await answer();
