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
