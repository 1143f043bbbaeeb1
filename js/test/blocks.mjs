// The fenced code blocks of the pages about JavaScript.
import { readFileSync } from "node:fs";

const PAGES = { "js/README.md": "../README.md", "docs/javascript.md": "../../docs/javascript.md" };

export function blocks() {
  return Object.entries(PAGES).flatMap(([page, place]) => {
    const text = readFileSync(new URL(place, import.meta.url), "utf8");
    return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map((found) => ({
      name: `${page}:${text.slice(0, found.index).split("\n").length + 1}`,
      language: found[1],
      text: found[2],
    }));
  });
}
