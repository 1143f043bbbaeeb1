// Before packing: the model file, its description and the sources of its text, which the repository has once, in
// mobilebert_rt/default_model.
import { cpSync } from "node:fs";

const from = new URL("../../mobilebert_rt/default_model/", import.meta.url);
for (const name of ["model.int8.safetensors", "README.md", "SOURCES.md"]) {
  cpSync(new URL(name, from), new URL(name, import.meta.url));
}
cpSync(new URL("../../LICENSE", import.meta.url), new URL("LICENSE", import.meta.url));
