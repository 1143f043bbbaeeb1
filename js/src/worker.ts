// The script of createWorker()'s worker: models, and calls of them.

import { DisposedError, toMessage } from "./errors.js";
import { isNode, nodeModule } from "./host.js";
import { loadLocal } from "./local.js";
import type { Command, Loaded, Reply } from "./remote.js";
import type { Runner } from "./runner.js";

interface Port {
  postMessage(message: Reply, transfer: readonly unknown[]): void;
}

const models = new Map<number, Runner>();
const aborts = new Map<number, AbortController>();
let last = 0;

async function answer(command: Exclude<Command, { type: "abort" }>, signal: AbortSignal): Promise<unknown> {
  const progress = (...values: [unknown, unknown?]) => post({ type: "progress", id: command.id, values });
  if (command.type === "load") {
    const runner = await loadLocal(command.source, { ...command.options, signal, progress });
    models.set(++last, runner);
    return { model: last, info: runner.info } satisfies Loaded;
  }
  const runner = models.get(command.model);
  if (command.type === "dispose") {
    models.delete(command.model);
    return runner?.dispose();
  }
  if (runner === undefined) throw new DisposedError("the model has been disposed of. Load it again.");
  if (command.type === "memory") return runner.memoryBytes();
  const { request, timeout, watched } = command;
  return runner.run(request, { signal: watched ? signal : undefined, timeout, progress });
}

async function receive(command: Command): Promise<void> {
  const { id } = command;
  if (command.type === "abort") return aborts.get(id)?.abort();
  const controller = new AbortController();
  aborts.set(id, controller);
  try {
    const value = await answer(command, controller.signal);
    post({ type: "done", id, value }, buffersOf(value));
  } catch (error) {
    post({ type: "failed", id, error: toMessage(error) });
  } finally {
    aborts.delete(id);
  }
}

/** The memory of vectors is handed over, not copied. */
function buffersOf(value: unknown): unknown[] {
  if (!Array.isArray(value) || !(value[0] instanceof Float32Array)) return [];
  return value.map((vector: Float32Array) => vector.buffer);
}

const parent = isNode ? nodeModule<typeof import("node:worker_threads")>("node:worker_threads").parentPort : null;

function post(reply: Reply, transfer: unknown[] = []): void {
  ((parent ?? globalThis) as unknown as Port).postMessage(reply, transfer);
}

if (parent !== null) parent.on("message", (command: Command) => void receive(command));
else globalThis.onmessage = (event: MessageEvent<Command>) => void receive(event.data);
