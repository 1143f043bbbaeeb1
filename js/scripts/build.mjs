// Builds the package into dist: modules from build/wasm, types by tsc, ESM and CommonJS by esbuild.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const repository = dirname(root);
const dist = join(root, "dist");
const MODULES = ["mobilebert_rt.wasm", "mobilebert_rt_relaxed.wasm"];
const wasm = process.env.MBRT_WASM ?? join(repository, "build/wasm");

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, "wasm"), { recursive: true });
for (const name of MODULES) {
  const from = join(wasm, name);
  if (!existsSync(from)) {
    console.error(`${from}: missing. Build it with \`cmake --preset wasm && cmake --build --preset wasm\`.`);
    process.exit(1);
  }
  const bytes = readFileSync(from);
  const memory = "\x03env\x06memory\x02"; // its import; the limits after it begin with 3: shared, with a maximum
  const limits = bytes.indexOf(memory) + memory.length;
  if (bytes[limits] !== 3) throw new Error(`${from}: found no import of shared memory`);
  bytes[limits] = 1; // memory that every page may have; src/threads.ts sets it again for more than one thread
  writeFileSync(join(dist, "wasm", name), bytes);
}

const tsc = join(root, "node_modules/typescript/bin/tsc");
const compiled = spawnSync(process.execPath, [tsc, "-p", root], { stdio: "inherit" });
if (compiled.status !== 0) process.exit(1);

// One file for programs and one for each kind of worker: a page without a bundler waits for one request, not for a chain.
const options = {
  entryPoints: [join(root, "src/index.ts"), join(root, "src/worker.ts"), join(root, "src/thread.ts")],
  bundle: true,
  platform: "neutral",
  target: "es2022",
};
await build({ ...options, outdir: join(dist, "esm"), format: "esm" });
await build({
  ...options,
  outdir: join(dist, "cjs"),
  format: "cjs",
  define: { "import.meta.url": "__moduleUrl" }, // which CommonJS lacks
  banner: { js: 'const __moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
});
writeFileSync(join(dist, "cjs/package.json"), '{"type": "commonjs"}\n');
for (const name of readdirSync(join(dist, "esm"))) {
  if (name.endsWith(".d.ts")) cpSync(join(dist, "esm", name), join(dist, "cjs", name));
}
cpSync(join(repository, "LICENSE"), join(root, "LICENSE"));
