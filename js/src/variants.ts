// Which of the package's WebAssembly modules this JavaScript engine can run.

import { canShareMemory } from "./threads.js";

/** A build of the engine. All of them give the same results. */
export type Variant = "relaxed" | "simd";

/** What the JavaScript engine supports, and why a slower module is used. */
export interface Support {
  /** The fastest module that runs here. */
  variant: Variant;
  relaxedSimd: boolean;
  /** Whether a model can have more than one thread: in Node, and in pages that are cross-origin isolated. */
  threads: boolean;
  /** One sentence for each feature that is missing; empty when nothing is. */
  notes: string[];
}

// Modules of one function, with i8x16.splat, and with i8x16.relaxed_swizzle.
const HEAD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10];
const SIMD = [...HEAD, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11];
const RELAXED = [...HEAD, 16, 1, 14, 0, 65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2, 26, 11];

const validates = (bytes: number[]): boolean => WebAssembly.validate(Uint8Array.from(bytes));

/** What runs here; undefined when nothing does, which loading a model reports as a LoadError. */
export function support(): Support | undefined {
  if (typeof WebAssembly !== "object" || !validates(SIMD)) return undefined;
  const relaxedSimd = validates(RELAXED);
  const notes: string[] = [];
  if (!relaxedSimd) {
    notes.push(
      "Relaxed SIMD: not available; the module for plain SIMD is used, which takes 1.3 to 3 times as long. " +
        "Chrome 114, Firefox 145 and Node 22 have it; Node 20 needs --experimental-wasm-relaxed-simd.",
    );
  }
  return { variant: relaxedSimd ? "relaxed" : "simd", relaxedSimd, threads: canShareMemory(), notes };
}
