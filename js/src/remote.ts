// A model in a worker: the page's thread only sends texts and receives results.

import { DisposedError, type ErrorMessage, fromMessage, InternalError } from "./errors.js";
import { isNode, nodeWorker } from "./host.js";
import type { LocalOptions } from "./local.js";
import type { Control, ModelInfo, Request, Runner } from "./runner.js";
import { absolute, type Source } from "./source.js";
import type { ModuleOptions } from "./wasm.js";

/** From the page to the worker. */
export type Command =
  | { type: "load"; id: number; source: Source; options: ModuleOptions }
  | { type: "run"; id: number; model: number; request: Request; timeout: number | undefined; watched: boolean }
  | { type: "memory"; id: number; model: number }
  | { type: "dispose"; id: number; model: number }
  | { type: "abort"; id: number };

/** From the worker to the page. */
export type Reply =
  | { type: "done"; id: number; value: unknown }
  | { type: "failed"; id: number; error: ErrorMessage }
  | { type: "progress"; id: number; values: [unknown, unknown?] };

export interface Loaded {
  model: number;
  info: ModelInfo;
}

/** What createWorker uses of a Worker; that of Node has `on`, `ref` and `unref`. */
interface Port {
  postMessage(message: Command, transfer?: readonly unknown[]): void;
  terminate(): unknown;
  onmessage?: unknown;
  onerror?: unknown;
  on?(event: string, listener: (value: unknown) => void): void;
  ref?(): void;
  unref?(): void;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  progress: ((...values: any[]) => void) | undefined;
}

export interface WorkerOptions {
  /** A Worker that runs this package's dist/esm/worker.js, where the package's own address cannot be used. */
  worker?: Worker | undefined;
}

/** A worker for any number of models: `TextEmbedder.fromPretrained(source, { worker: createWorker() })`. */
export function createWorker(options: WorkerOptions = {}): EngineWorker {
  return new EngineWorker((options.worker as Port | undefined) ?? startWorker());
}

function startWorker(): Port {
  if (isNode) return nodeWorker(new URL("./worker.js", import.meta.url)) as unknown as Port;
  // Bundlers look for exactly this form.
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module" }) as unknown as Port;
}

/** See createWorker. */
export class EngineWorker {
  private readonly pending = new Map<number, Pending>();
  private next = 1;
  private ended: Error | undefined;

  constructor(private readonly port: Port) {
    const receive = (reply: Reply) => this.receive(reply);
    const fail = (error: unknown) => {
      const reason = (error as { message?: string }).message ?? "its script could not be loaded";
      this.end(new InternalError(`the worker ended: ${reason}.`, { cause: error }));
    };
    if (typeof port.on === "function") {
      port.on("message", receive as (value: unknown) => void);
      port.on("error", fail);
      port.on("exit", () => this.end(new InternalError("the worker ended.")));
      port.unref?.();
    } else {
      port.onmessage = (event: MessageEvent<Reply>) => receive(event.data);
      port.onerror = fail;
    }
  }

  /** Ends the worker with all of its models. */
  async terminate(): Promise<void> {
    this.end(new DisposedError("the worker has been terminated. Make another with createWorker()."));
    await this.port.terminate();
  }

  /** For the tasks' fromPretrained. */
  async load(source: Source, options: LocalOptions): Promise<Runner> {
    const { signal, progress, wasm, variant, threads } = options;
    const [sent, transfer] = await sendable(source);
    const command = { type: "load", source: sent, options: defined({ wasm, variant, threads }) } as const;
    const { model, info } = (await this.send(command, { signal, progress }, transfer)) as Loaded;
    return new RemoteRunner(this, model, info);
  }

  /** The value that the worker answers with. */
  send(
    command: DistributiveOmit<Command, "id">,
    control: { signal?: AbortSignal | undefined; progress?: Pending["progress"] } = {},
    transfer: unknown[] = [],
  ): Promise<unknown> {
    const { signal, progress } = control;
    signal?.throwIfAborted();
    if (this.ended !== undefined) throw this.ended;
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.port.postMessage({ type: "abort", id });
        this.settle(id)?.reject(signal!.reason);
      };
      const settled = <T>(body: (value: T) => void) => (value: T) => {
        signal?.removeEventListener("abort", abort);
        body(value);
      };
      if (this.pending.size === 0) this.port.ref?.();
      this.pending.set(id, { resolve: settled(resolve), reject: settled(reject), progress });
      signal?.addEventListener("abort", abort, { once: true });
      try {
        this.port.postMessage({ ...command, id } as Command, transfer);
      } catch (error) {
        this.settle(id)!.reject(error);
      }
    });
  }

  private receive(reply: Reply): void {
    if (reply.type === "progress") this.pending.get(reply.id)?.progress?.(...reply.values);
    else if (reply.type === "done") this.settle(reply.id)?.resolve(reply.value);
    else this.settle(reply.id)?.reject(fromMessage(reply.error));
  }

  /** A request that waits no longer; Node may exit when there is none. */
  private settle(id: number): Pending | undefined {
    const found = this.pending.get(id);
    this.pending.delete(id);
    if (this.pending.size === 0) this.port.unref?.();
    return found;
  }

  private end(reason: Error): void {
    this.ended ??= reason;
    for (const id of [...this.pending.keys()]) this.settle(id)!.reject(this.ended);
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/** A source that can be posted, and what is handed over with it. */
async function sendable(source: Source): Promise<[Source, unknown[]]> {
  if (typeof Response === "function" && source instanceof Response && source.ok && !source.bodyUsed) {
    const bytes = await source.arrayBuffer();
    return [bytes, [bytes]];
  }
  return [absolute(source), []];
}

class RemoteRunner implements Runner {
  constructor(
    private readonly worker: EngineWorker,
    private readonly model: number,
    readonly info: ModelInfo,
  ) {}

  async run(request: Request, { signal, timeout, progress }: Control): Promise<unknown[]> {
    const command = { type: "run", model: this.model, request, timeout, watched: signal !== undefined } as const;
    return (await this.worker.send(command, { signal, progress })) as unknown[];
  }

  async memoryBytes(): Promise<number> {
    return (await this.worker.send({ type: "memory", model: this.model })) as number;
  }

  async dispose(): Promise<void> {
    try {
      await this.worker.send({ type: "dispose", model: this.model });
    } catch (error) {
      if (!(error instanceof DisposedError)) throw error; // it went with the worker
    }
  }
}
