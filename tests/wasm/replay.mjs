// replay.mjs MODULE RECORDS EXPECTED_SETS: makes the recorded calls (record.py) with every kernel set of the module.
import { readFileSync } from "node:fs";

const [modulePath, recordsPath, expectedSets] = process.argv.slice(2);
const exports = (await WebAssembly.instantiate(readFileSync(modulePath), {})).instance.exports;
exports._initialize();

const text = (pointer) => {
  const bytes = new Uint8Array(exports.memory.buffer, pointer);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
};
const fail = (message) => {
  console.error(message);
  process.exit(1);
};

try {
  exports.read_after_memory();
  fail("an access after the end of memory is no trap");
} catch (error) {
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
}
const sets = text(exports.sets());
if (!new RegExp(`^${expectedSets}$`).test(sets)) fail(`kernel sets: found "${sets}"; expected "${expectedSets}"`);

for (const [name, expectedErrors] of [["wasm_simd128", false], ["wasm_relaxed", !sets.includes("wasm_relaxed")]]) {
  const errors = exports[`fma_errors_${name}`](7, 500_000);
  if (errors > 0 !== expectedErrors) fail(`fma of ${name}: ${errors} of 16,000,000 results have other bits`);
}
// Every 1,021st float of [-0.5, 0], and the only one of them all at which a sum is half way between two floats as a
// double and not as it is.
for (const [first, stride, count] of [[0x37ae3712, 0, 1], [0, 1021, Math.floor(0x3f000000 / 1021 / 16)]]) {
  const errors = exports.polynomial_errors_wasm_simd128(first, stride, count);
  if (errors > 0) fail(`polynomial from ${first}, ${stride} apart: ${errors} of ${16 * count} results have other bits`);
}

const records = readFileSync(recordsPath);
const offsets = [];
let largest = 0;
for (let at = 0; at < records.length; ) {
  const size = records.readUInt32LE(at);
  offsets.push([at + 4, size]);
  largest = Math.max(largest, size);
  at += 4 + size;
}
const buffer = exports.buffer(largest);
const name = exports.buffer(64);
let calls = 0;
for (const isa of sets.split(" ")) {
  new Uint8Array(exports.memory.buffer).set(new TextEncoder().encode(isa + "\0"), name);
  for (const [at, size] of offsets) {
    new Uint8Array(exports.memory.buffer).set(records.subarray(at, at + size), buffer);
    let message;
    try {
      message = text(exports.replay(buffer, name));
    } catch (error) {
      message = `${error.message}: an access after the end of an array`;
    }
    if (message) fail(`${isa}, call ${calls % offsets.length}: ${message}`);
    ++calls;
  }
}
console.log(`${calls} calls: ${sets}`);
