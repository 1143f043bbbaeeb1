// malformed.mjs MODULE FILES VALID: opens each file of the JSON file FILES, prints the [status, message] of each, and opens a
// valid model in the same instance at the end.
import { readFileSync } from "node:fs";

import { Module } from "./module.mjs";

const [modulePath, filesPath, validPath] = process.argv.slice(2);
const module = await Module.load(modulePath);
const out = module.exports.allocate(8);
const results = JSON.parse(readFileSync(filesPath, "utf8")).map((path) => {
  const bytes = readFileSync(path);
  const status = module.exports.open_model(module.put(bytes), bytes.length, 0, out);
  return [status, module.error()];
});
if (module.openModel(readFileSync(validPath)) === null) throw new Error(module.error());
console.log(JSON.stringify(results));
