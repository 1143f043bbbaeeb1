// The package's WebAssembly modules: found beside this file, compiled once.

import { InputError, LoadError } from "./errors.js";
import { shown } from "./options.js";
import { open, request, type Source } from "./source.js";
import { MAX_THREADS, withSharedMemory } from "./threads.js";
import { support, type Support, type Variant } from "./variants.js";

/** A module instead of the package's own: compiled, or where it is. */
export type WasmSource = WebAssembly.Module | Source;

// Bundlers look for exactly this form.
const FILES: Record<Variant, () => URL> = {
  relaxed: () => new URL("../wasm/mobilebert_rt_relaxed.wasm", import.meta.url),
  simd: () => new URL("../wasm/mobilebert_rt.wasm", import.meta.url),
};

const NOT_ISOLATED =
  "Threads: this page has no shared memory; one thread is used. Serve it and the package's scripts with the headers " +
  "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.";

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** What chooses a module. */
export interface ModuleOptions {
  /** A module instead of the package's own. */
  wasm?: WasmSource | undefined;
  /** A module of the package instead of the fastest. */
  variant?: Variant | undefined;
  /** Threads of this model, the calling one included: 1 by default. More need shared memory; see `support().threads`. */
  threads?: number | undefined;
}

export interface Chosen {
  module: WebAssembly.Module;
  threads: number;
  support: Support;
}

/** The module of the fastest variant, or the given one. LoadError when none can run. */
export async function chosenModule({ wasm, variant, threads = 1 }: ModuleOptions): Promise<Chosen> {
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new InputError(`threads: found ${shown(threads)}; expected a whole number from 1 to ${MAX_THREADS}.`);
  }
  const found = support();
  if (found === undefined) {
    throw new LoadError(
      "WebAssembly with SIMD: not available; expected a browser from 2021 on, or Node 20. Under a Content Security " +
        "Policy, allow it with script-src 'wasm-unsafe-eval'.",
    );
  }
  const chosen = { ...found, variant: variant ?? found.variant };
  if (threads > 1 && !found.threads) {
    chosen.notes = [...chosen.notes, NOT_ISOLATED];
    threads = 1;
  }
  return { module: await moduleOf(wasm, chosen.variant, threads > 1), threads, support: chosen };
}

async function moduleOf(given: WasmSource | undefined, variant: Variant, shared: boolean): Promise<WebAssembly.Module> {
  if (given === undefined) return own(variant, shared);
  if (!(given instanceof WebAssembly.Module)) return compile(given, shared);
  if (!shared) return given;
  throw new InputError("wasm: found a compiled module; expected its bytes or where it is, for more than one thread.");
}

async function own(variant: Variant, shared: boolean): Promise<WebAssembly.Module> {
  const key = `${variant} ${shared}`;
  let module = compiled.get(key);
  if (module === undefined) {
    module = compile(FILES[variant](), shared);
    compiled.set(key, module);
    module.catch(() => compiled.delete(key)); // so that the next load tries again
  }
  return module;
}

async function compile(source: Source, shared: boolean): Promise<WebAssembly.Module> {
  const response = await request(source);
  // Compiles while it arrives, and browsers keep the compiled code.
  const streams = !shared && response?.ok === true && response.headers.get("Content-Type") === "application/wasm";
  const opened = await open(response ?? source);
  try {
    if (streams) return await WebAssembly.compileStreaming(response);
    const parts: Uint8Array[] = [];
    for await (const chunk of opened.chunks) parts.push(chunk);
    const bytes = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    return await WebAssembly.compile((shared ? withSharedMemory(bytes, opened.name) : bytes) as BufferSource);
  } catch (error) {
    if (error instanceof LoadError) throw error;
    throw new LoadError(
      `${opened.name}: ${(error as Error).message}; expected a WebAssembly module of this package. Under a Content ` +
        "Security Policy, allow it with script-src 'wasm-unsafe-eval'.",
      { cause: error },
    );
  }
}
