// Threads of an engine: shared memory, and the Workers that run on it.

import { LoadError } from "./errors.js";
import { isNode, nodeWorker } from "./host.js";
import type { ThreadStart } from "./thread.js";

/** The most threads of a model: a bound, not a recommendation. */
export const MAX_THREADS = 64;

/** Whether models can have more than one thread here. */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer !== "function") return false;
  if (isNode) return true;
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return crossOriginIsolated === true && typeof Worker === "function";
}

/** Whether this thread may sleep; a page's own may not. */
export function canSleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}

// As the linker wrote it (csrc/wasm/CMakeLists.txt). The maximum of shared memory takes address space at once.
const INITIAL_PAGES = 32;
const MAX_PAGES = 65536;
const MAX_SHARED_PAGES = 32768;

export function newMemory(shared: boolean): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: shared ? MAX_SHARED_PAGES : MAX_PAGES, shared });
}

// In the module's import section: "env", "memory", a memory, limits with a maximum; then 1, or 3 if it is shared.
const MEMORY_IMPORT = [3, ...ascii("env"), 6, ...ascii("memory"), 2];
const LIMITS = 1;
const SHARED_LIMITS = 3;

function ascii(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}

/** The module with memory that is shared. The package has it with memory of its own, which a page may always have. */
export function withSharedMemory(bytes: Uint8Array, name: string): Uint8Array {
  const found = bytes.findIndex((_, i) => MEMORY_IMPORT.every((byte, j) => bytes[i + j] === byte));
  const at = found + MEMORY_IMPORT.length;
  if (found < 0 || (bytes[at] !== LIMITS && bytes[at] !== SHARED_LIMITS)) {
    throw new LoadError(`${name}: found no import of a memory; expected a WebAssembly module of this package.`);
  }
  bytes[at] = SHARED_LIMITS;
  return bytes;
}

/** A running thread. */
export interface Thread {
  terminate(): void;
}

/** Starts a Worker; resolves once it serves. */
export function startThread(start: ThreadStart): Promise<Thread> {
  return isNode ? startNodeThread(start) : startWebThread(start);
}

function startNodeThread(start: ThreadStart): Promise<Thread> {
  return new Promise((resolve, reject) => {
    const worker = nodeWorker(new URL("./thread.js", import.meta.url), start);
    worker.once("message", () => {
      worker.unref(); // a program may end while it waits
      resolve({ terminate: () => void worker.terminate() });
    });
    worker.on("error", (error) => reject(notStarted(error))); // later: a trap, which the engine reports
  });
}

function startWebThread(start: ThreadStart): Promise<Thread> {
  return new Promise((resolve, reject) => {
    // Bundlers look for exactly this form.
    const worker = new Worker(new URL("./thread.js", import.meta.url), { type: "module" });
    worker.onmessage = () => resolve({ terminate: () => worker.terminate() });
    worker.onerror = (event) => {
      worker.terminate();
      reject(notStarted(event));
    };
    worker.postMessage(start);
  });
}

function notStarted(error: { message?: string }): LoadError {
  const reason = error.message || "its script, dist/esm/thread.js, could not be loaded";
  return new LoadError(`threads: a worker could not start: ${reason}. Use threads: 1.`, { cause: error });
}
