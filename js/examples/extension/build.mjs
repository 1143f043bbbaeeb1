// node build.mjs FOLDER: the extension with the package and the default model, to be loaded as an unpacked extension.
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const target = process.argv[2];
if (target === undefined) throw new Error("FOLDER: missing; expected where to write the extension.");
const from = (path) => new URL(path, import.meta.url);

mkdirSync(target, { recursive: true });
for (const name of ["manifest.json", "background.js"]) cpSync(from(name), join(target, name));
for (const part of ["esm", "wasm"]) {
  cpSync(from(`../../dist/${part}`), join(target, "mobilebert-rt/dist", part), { recursive: true });
}
cpSync(from("../../../mobilebert_rt/default_model/model.int8.safetensors"), join(target, "model.int8.safetensors"));
