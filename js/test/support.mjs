// What the tests share. `make test-js` writes the files of build/js and builds dist first.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import v8 from "node:v8";

// Node 20 has relaxed SIMD, but hides it.
export const relaxedFlags = process.versions.node.startsWith("20.") ? ["--experimental-wasm-relaxed-simd"] : [];
for (const flag of relaxedFlags) v8.setFlagsFromString(flag);

export const root = fileURLToPath(new URL("../", import.meta.url));
export const files = fileURLToPath(new URL("../../build/js/", import.meta.url));
export const expected = JSON.parse(readFileSync(files + "expected.json", "utf8"));
export const modelPath = (name, precision = "int8") => `${files}models/${name}-${precision}.safetensors`;
export const modelBytes = (name, precision) => readFileSync(modelPath(name, precision));

/** Vectors as arrays: deepEqual of numbers compares their bits, but for NaN. */
export const plain = (value) =>
  JSON.parse(JSON.stringify(value, (_, part) => (ArrayBuffer.isView(part) ? Array.from(part) : part)));
