// The package's WebAssembly modules: found beside this file, compiled once.

import { LoadError } from "./errors.js";
import { open, request, type Source } from "./source.js";
import { support, type Support, type Variant } from "./variants.js";

/** A module instead of the package's own: compiled, or where it is. */
export type WasmSource = WebAssembly.Module | Source;

// Bundlers look for exactly this form.
const FILES: Record<Variant, () => URL> = {
  relaxed: () => new URL("../wasm/mobilebert_rt_relaxed.wasm", import.meta.url),
  simd: () => new URL("../wasm/mobilebert_rt.wasm", import.meta.url),
};

const compiled = new Map<Variant, Promise<WebAssembly.Module>>();

export interface Chosen {
  module: WebAssembly.Module;
  support: Support;
}

/** The module of the fastest variant, or the given one. LoadError when none can run. */
export async function chosenModule(given?: WasmSource, variant?: Variant): Promise<Chosen> {
  const found = support();
  if (found === undefined) {
    throw new LoadError(
      "WebAssembly with SIMD: not available; expected a browser from 2021 on, or Node 20. Under a Content Security " +
        "Policy, allow it with script-src 'wasm-unsafe-eval'.",
    );
  }
  const chosen = { ...found, variant: variant ?? found.variant };
  if (given === undefined) return { module: await own(chosen.variant), support: chosen };
  const module = given instanceof WebAssembly.Module ? given : await compile(given);
  return { module, support: chosen };
}

async function own(variant: Variant): Promise<WebAssembly.Module> {
  let module = compiled.get(variant);
  if (module === undefined) {
    module = compile(FILES[variant]());
    compiled.set(variant, module);
    module.catch(() => compiled.delete(variant)); // so that the next load tries again
  }
  return module;
}

async function compile(source: Source): Promise<WebAssembly.Module> {
  const response = await request(source);
  // Compiles while it arrives, and browsers keep the compiled code.
  const streams = response?.ok === true && response.headers.get("Content-Type") === "application/wasm";
  const opened = await open(response ?? source);
  try {
    if (streams) return await WebAssembly.compileStreaming(response);
    const parts: Uint8Array[] = [];
    for await (const chunk of opened.chunks) parts.push(chunk);
    return await WebAssembly.compile(await new Blob(parts as BlobPart[]).arrayBuffer());
  } catch (error) {
    throw new LoadError(
      `${opened.name}: ${(error as Error).message}; expected a WebAssembly module of this package. Under a Content ` +
        "Security Policy, allow it with script-src 'wasm-unsafe-eval'.",
      { cause: error },
    );
  }
}
