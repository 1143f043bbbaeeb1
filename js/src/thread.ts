// The script of a Worker that is one more thread of an engine: an instance of the module on the engine's memory.

import { imports, isNode, nodeModule } from "./host.js";

/** What the engine sends first, the addresses from new_thread(). */
export interface ThreadStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  thread: number;
  stack: number;
  tls: number;
}

interface ThreadExports {
  __stack_pointer: WebAssembly.Global<"i32">;
  __wasm_init_tls(tls: number): void;
  run_thread(thread: number): void;
  report_thread_trap(): void;
}

function start({ module, memory, thread, stack, tls }: ThreadStart, started: () => void): void {
  const exports = new WebAssembly.Instance(module, imports(memory)).exports as unknown as ThreadExports;
  exports.__stack_pointer.value = stack;
  exports.__wasm_init_tls(tls);
  started();
  try {
    exports.run_thread(thread); // until the worker is terminated
  } catch (error) {
    exports.report_thread_trap();
    throw error;
  }
}

if (isNode) {
  const { parentPort, workerData } = nodeModule<typeof import("node:worker_threads")>("node:worker_threads");
  start(workerData as ThreadStart, () => parentPort!.postMessage("started"));
} else {
  const started = () => globalThis.postMessage("started");
  globalThis.onmessage = (event: MessageEvent<ThreadStart>) => start(event.data, started);
}
