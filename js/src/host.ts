// Node's modules, without an import that a browser or a bundler would try to resolve.

interface NodeProcess {
  versions?: { node?: string };
  getBuiltinModule?(name: string): unknown;
}

const nodeProcess = (globalThis as { process?: NodeProcess }).process;

/** Whether this is Node, Deno or Bun rather than a browser. */
export const isNode = nodeProcess?.versions?.node !== undefined && typeof nodeProcess.getBuiltinModule === "function";

/** A module of Node by its full name, as "node:fs/promises". */
export function nodeModule<T>(name: string): T {
  return nodeProcess!.getBuiltinModule!(name) as T;
}

/** A Worker of Node. Without the program's own options: a script given with --eval has some that a file must not have. */
export function nodeWorker(script: URL, workerData?: unknown): import("node:worker_threads").Worker {
  const { Worker } = nodeModule<typeof import("node:worker_threads")>("node:worker_threads");
  return new Worker(script, { workerData, execArgv: [] });
}

/** What a module imports, for an instance on this memory. */
export function imports(memory: WebAssembly.Memory): WebAssembly.Imports {
  const clock_time_get = (_id: number, _precision: bigint, out: number): number => {
    // performance.now() alone starts at another time in each worker.
    const nanoseconds = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
    new DataView(memory.buffer).setBigUint64(out >>> 0, nanoseconds, true);
    return 0;
  };
  return { env: { memory }, wasi_snapshot_preview1: { clock_time_get } };
}

/** Lets events be handled: messages, aborts, painting. */
export function nextTask(): Promise<void> {
  if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
