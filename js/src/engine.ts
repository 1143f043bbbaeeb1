// One instance of the module: memory, strings, arrays of 4-byte fields, statuses. Written against mobilebert_rt.h and
// csrc/wasm/README.md.

import { DisposedError, errorOf, InputError, InternalError, OutOfMemoryError } from "./errors.js";
import { imports } from "./host.js";
import { canSleep, newMemory, startThread, type Thread } from "./threads.js";

/** The functions of the module that this package calls. Pointers and sizes are numbers; handles are BigInt. */
export interface Exports {
  _initialize(): void;
  new_thread(): number;
  let_thread_sleep(): void;
  allocate(size: number): number;
  release(pointer: number): void;
  open_model(data: number, size: number, options: number, model: number): number;
  mbrt_last_error(): number;
  mbrt_status_name(status: number): number;
  mbrt_version(): number;
  mbrt_model_get_info(model: bigint, info: number): number;
  mbrt_model_label(model: bigint, index: number, label: number): number;
  mbrt_model_metadata(model: bigint, key: number, value: number, bytes: number): number;
  mbrt_model_tokenize(
    model: bigint, first: number, firstBytes: number, second: number, secondBytes: number,
    tokens: number, capacity: number, count: number,
  ): number;
  mbrt_model_piece(model: bigint, id: number, piece: number, capacity: number, needed: number): number;
  mbrt_call_new(model: bigint, call: number): number;
  mbrt_call_free(call: bigint): number;
  mbrt_call_clear(call: bigint): number;
  mbrt_call_add_text(call: bigint, text: number, bytes: number): number;
  mbrt_call_add_pair(call: bigint, first: number, firstBytes: number, second: number, secondBytes: number): number;
  mbrt_call_set_outputs(call: bigint, outputs: number): number;
  mbrt_call_set_task(call: bigint, task: number, options: number): number;
  mbrt_call_set_embedding(call: bigint, options: number): number;
  mbrt_call_set_limits(call: bigint, maxTokens: number, overflow: number, stride: number): number;
  mbrt_call_set_threads(call: bigint, threads: number): number;
  mbrt_call_set_timeout(call: bigint, seconds: number): number;
  mbrt_call_run(call: bigint): number;
  mbrt_call_view(call: bigint, output: number, layer: number, item: number, view: number): number;
  mbrt_call_result_count(call: bigint, item: number, count: number): number;
  mbrt_call_result(call: bigint, item: number, index: number, result: number): number;
}

/** The functions that return an mbrt_status. */
export type Checked = Extract<keyof Exports, "open_model" | `mbrt_model_${string}` | `mbrt_call_${string}`>;

/** A field of a struct: an integer, a pointer, or a float. */
export type Field = number | { float: number };

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const BUFFER = 8; // MBRT_ERROR_BUFFER

export class Engine {
  readonly exports: Exports;
  private failure: Error | undefined;
  private others: Thread[] = []; // beside the one that calls

  private constructor(
    instance: WebAssembly.Instance,
    readonly memory: WebAssembly.Memory,
  ) {
    this.exports = instance.exports as unknown as Exports;
  }

  /** threads: more than 1 for a module with shared memory only. */
  static async start(module: WebAssembly.Module, threads: number): Promise<Engine> {
    const memory = newMemory(threads > 1);
    const engine = new Engine(await WebAssembly.instantiate(module, imports(memory)), memory);
    engine.exports._initialize();
    if (threads > 1) await engine.startThreads(module, threads - 1);
    return engine;
  }

  private async startThreads(module: WebAssembly.Module, count: number): Promise<void> {
    if (canSleep()) this.exports.let_thread_sleep();
    // All places first: a failure here leaves no Worker behind.
    const places = Array.from({ length: count }, () => {
      const thread = this.exports.new_thread() >>> 0;
      if (thread === 0) throw outOfMemory("a thread");
      return { thread, stack: this.word(thread), tls: this.word(thread + 4) };
    });
    const ended = await Promise.allSettled(
      places.map((place) => startThread({ module, memory: this.memory, ...place })),
    );
    this.others = ended.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
    const failed = ended.find((start) => start.status === "rejected");
    if (failed === undefined) return;
    this.stop();
    throw failed.reason;
  }

  get threads(): number {
    return 1 + this.others.length;
  }

  // Memory may grow in any call, which detaches the views made before.
  data(): DataView {
    return new DataView(this.memory.buffer);
  }
  bytes(pointer: number, size: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, pointer >>> 0, size);
  }
  word(pointer: number): number {
    return this.data().getUint32(pointer >>> 0, true);
  }
  handle(pointer: number): bigint {
    return this.data().getBigUint64(pointer >>> 0, true);
  }

  string(pointer: number): string {
    const memory = new Uint8Array(this.memory.buffer);
    const start = pointer >>> 0;
    return this.text(start, memory.indexOf(0, start) - start);
  }
  text(pointer: number, size: number): string {
    // slice: TextDecoder refuses views of shared memory.
    return decoder.decode(this.bytes(pointer, size).slice());
  }

  /** Calls a function of the C API; an error status becomes an exception. */
  call(name: Checked, ...args: (number | bigint)[]): void {
    this.check(this.status(name, ...args));
  }

  /** The same where a too small buffer is no error: true when it was large enough. */
  fits(name: Checked, ...args: (number | bigint)[]): boolean {
    const status = this.status(name, ...args);
    if (status === BUFFER) return false;
    this.check(status);
    return true;
  }

  private status(name: Checked, ...args: (number | bigint)[]): number {
    if (this.failure !== undefined) throw this.failure;
    try {
      return (this.exports[name] as (...args: (number | bigint)[]) => number)(...args);
    } catch (error) {
      const reason = (error as Error).message;
      const message = `${name}: ${reason}. Load the model again, and please report it.`;
      this.failure = new InternalError(message, { cause: error });
      throw this.failure;
    }
  }

  private check(status: number): void {
    if (status === 0) return;
    throw errorOf(this.string(this.exports.mbrt_status_name(status)), this.string(this.exports.mbrt_last_error()));
  }

  get isAlive(): boolean {
    return this.failure === undefined;
  }

  /** All later calls fail. */
  stop(): void {
    for (const thread of this.others.splice(0)) thread.terminate();
    this.failure ??= new DisposedError("the model has been disposed of. Load it again.");
  }

  allocate(size: number): number {
    if (this.failure !== undefined) throw this.failure;
    const pointer = size < 2 ** 32 ? this.exports.allocate(size) >>> 0 : 0;
    if (pointer !== 0) return pointer;
    throw outOfMemory(`${size} bytes`);
  }

  /** What body returns; the memory that it takes from the arena is freed. */
  within<T>(body: (arena: Arena) => T): T {
    const arena = new Arena(this);
    try {
      return body(arena);
    } finally {
      arena.free();
    }
  }
}

function outOfMemory(what: string): OutOfMemoryError {
  return new OutOfMemoryError(`${what}: out of memory. Use a smaller model or batch.`);
}

/** Memory for the arguments of a few calls. */
export class Arena {
  private readonly taken: number[] = [];

  constructor(private readonly engine: Engine) {}

  take(size: number): number {
    const pointer = this.engine.allocate(size);
    this.taken.push(pointer);
    return pointer;
  }

  /** The UTF-8 of a text: [pointer, bytes]. A lone surrogate becomes U+FFFD. */
  utf8(text: string): [number, number] {
    const bytes = encoder.encode(text);
    const pointer = this.take(Math.max(1, bytes.length));
    this.engine.bytes(pointer, bytes.length).set(bytes);
    return [pointer, bytes.length];
  }

  /** A string that ends with a zero byte. name: of the option, in messages. */
  cstring(text: string, name: string): number {
    if (text.includes("\0")) throw new InputError(`${name}: found a zero character; expected a text without it.`);
    return this.utf8(text + "\0")[0];
  }
  cstrings(texts: readonly string[], name: string): number {
    return this.words(texts.map((text) => this.cstring(text, name)));
  }

  words(fields: readonly Field[]): number {
    const pointer = this.take(Math.max(4, 4 * fields.length));
    const data = this.engine.data();
    fields.forEach((field, i) => {
      if (typeof field === "number") data.setUint32(pointer + 4 * i, field >>> 0, true);
      else data.setFloat32(pointer + 4 * i, field.float, true);
    });
    return pointer;
  }

  /** A struct that begins with struct_size. */
  struct(fields: readonly Field[]): number {
    return this.words([4 * (fields.length + 1), ...fields]);
  }

  free(): void {
    if (!this.engine.isAlive) return; // all of its memory goes
    for (const pointer of this.taken.splice(0)) this.engine.exports.release(pointer);
  }
}
