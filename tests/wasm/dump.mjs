// dump.mjs MODULE JOBS [THREADS]: what tests/capi/dump.c writes, for each [model, file to write] of the JSON file JOBS and each
// kernel set; fails unless the sets agree. Prints the sets.
import { readFileSync, writeFileSync } from "node:fs";

import { Module } from "./module.mjs";

const [modulePath, jobsPath, threads = 1] = process.argv.slice(2);
const MAX_OUTPUT = 32;
const HIDDEN_STATES = 2;

function addItems(m, call, types) {
  const at = (length, value) => Array.from({ length }, (_, i) => value(i));
  const ids = m.putFields(...at(17, (i) => (3 * i * i + i + 5) % 37));
  const kinds = m.putFields(...at(17, (i) => (i >= 8 && types > 1 ? 1 : 0)));
  const mask = m.put(Uint8Array.from(at(17, (i) => (i === 4 ? 0 : 1))));
  m.require(m.exports.mbrt_call_add_ids(call, ids, 0, 0, 9));
  m.require(m.exports.mbrt_call_add_ids(call, ids, kinds, mask, 17));
}

function dump(m, bytes, isa) {
  const e = m.exports;
  const model = m.openModel(bytes, isa);
  if (model === null) throw new Error(m.error());
  const info = m.putFields(68, ...Array(16).fill(0));
  m.require(e.mbrt_model_get_info(model, info));
  const outputs = m.field(info, 3);
  const layers = m.field(info, 8) + 1;
  const out = e.allocate(8);
  m.require(e.mbrt_call_new(model, out));
  const call = m.view().getBigUint64(out, true);
  m.require(e.mbrt_call_set_outputs(call, outputs));
  m.require(e.mbrt_call_set_threads(call, Number(threads)));
  addItems(m, call, m.field(info, 6));
  m.require(e.mbrt_call_run(call));
  const parts = [];
  for (let output = 1; output <= MAX_OUTPUT; output *= 2) {
    if ((outputs & output) === 0) continue;
    for (const item of [0, 1]) {
      for (let layer = 0; layer < (output === HIDDEN_STATES ? layers : 1); ++layer) {
        e.mbrt_call_copy(call, output, layer, item, 0, 0, out);
        const count = m.field(out, 0);
        const to = e.allocate(4 * count);
        m.require(e.mbrt_call_copy(call, output, layer, item, to, count, 0));
        parts.push(Buffer.from(m.bytes(to, 4 * count)));
        e.release(to);
      }
    }
  }
  m.require(e.mbrt_call_free(call));
  m.require(e.mbrt_model_close(model));
  return Buffer.concat(parts);
}

const module = await Module.load(modulePath, Number(threads));
const isas = module.availableIsas();
for (const [model, path] of JSON.parse(readFileSync(jobsPath, "utf8"))) {
  const bytes = readFileSync(model);
  const dumps = isas.map((isa) => dump(module, bytes, isa));
  dumps.forEach((found, i) => {
    if (!found.equals(dumps[0])) throw new Error(`${model}: ${isas[i]} and ${isas[0]} give other bits`);
  });
  writeFileSync(path, dumps[0]);
}
console.log(isas.join(" "));
