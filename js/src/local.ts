// A model in this thread. It has an instance of the module of its own, so that dispose() returns all of its memory.

import { Call } from "./call.js";
import { Engine } from "./engine.js";
import { DisposedError, InputError, LoadError } from "./errors.js";
import { nextTask } from "./host.js";
import type { Control, Input, ModelInfo, Request, Runner } from "./runner.js";
import { open, type Opened, type Progress, type Source } from "./source.js";
import type { Support } from "./variants.js";
import { chosenModule, type ModuleOptions } from "./wasm.js";

export interface LocalOptions extends ModuleOptions {
  signal?: AbortSignal | undefined;
  /** Called as the model file arrives. */
  progress?: ((progress: Progress) => void) | undefined;
}

// A batch of about 1,000 tokens is long enough to be efficient. With a signal, a batch is to take 0.1 s.
const MAX_BATCH = 4000; // characters
const FIRST_WATCHED_BATCH = 1000;
const MIN_WATCHED_BATCH = 250;
const WATCHED_MS = 100;
const MAX_EARLY_BYTES = 4 << 20; // of a model, read before the engine runs
const TEXT_OVERHEAD = 8; // characters that a text's special tokens count as
const NO_FMA =
  "Relaxed SIMD: this processor or JavaScript engine rounds twice in relaxed_madd; the kernels for plain SIMD are " +
  "used, which take 1.3 to 3 times as long.";
const HEADS = [
  "none",
  "masked_lm",
  "pretraining",
  "next_sentence",
  "sequence_classification",
  "token_classification",
  "question_answering",
  "multiple_choice",
];

/** The module is compiled while the model arrives. */
export async function loadLocal(source: Source, options: LocalOptions): Promise<Runner> {
  options.signal?.throwIfAborted();
  const choosing = chosenModule(options);
  const starting = choosing.then(({ module, threads }) => Engine.start(module, threads));
  const reading = open(source, options.signal).then((opened) => read(opened, starting, options));
  try {
    const [{ support }, engine, [data, size]] = await Promise.all([choosing, starting, reading]);
    return new LocalRunner(engine, openModel(engine, data, size), support);
  } catch (error) {
    starting.then((engine) => engine.stop()).catch(() => {});
    throw error;
  }
}

/** The file's bytes in the engine's memory: [pointer, size]. */
async function read(opened: Opened, starting: Promise<Engine>, options: LocalOptions): Promise<[number, number]> {
  const total = opened.size;
  const parts: Uint8Array[] = []; // not in the engine's memory yet
  let running = false;
  starting.then(() => (running = true)).catch(() => {});
  let loaded = 0;
  let begin = 0;
  let end = 0;
  const move = (engine: Engine, size: number): void => {
    if (begin === 0) begin = end = engine.allocate(size);
    for (const part of parts.splice(0)) {
      engine.bytes(end, part.length).set(part);
      end += part.length;
    }
  };
  for await (const chunk of opened.chunks) {
    options.signal?.throwIfAborted();
    parts.push(chunk);
    loaded += chunk.length;
    options.progress?.({ loaded, total });
    if (total === undefined) continue;
    if (loaded > total) break;
    if (running || loaded > MAX_EARLY_BYTES) move(await starting, total);
  }
  if (total !== undefined && total !== loaded) {
    throw new LoadError(
      `${opened.name}: found ${loaded} bytes; expected ${total}. The transfer was cut short; try again.`,
    );
  }
  move(await starting, loaded);
  return [begin, loaded];
}

function openModel(engine: Engine, data: number, size: number): bigint {
  return engine.within((arena) => {
    const place = arena.take(8);
    engine.call("open_model", data, size, 0, place);
    return engine.handle(place);
  });
}

class LocalRunner implements Runner {
  readonly info: ModelInfo;
  private engine: Engine | undefined;

  constructor(
    engine: Engine,
    private readonly model: bigint,
    support: Support,
  ) {
    this.engine = engine;
    this.info = readInfo(engine, model, support);
  }

  async run(request: Request, control: Control): Promise<unknown[]> {
    const { signal, timeout = Infinity, progress } = control;
    signal?.throwIfAborted();
    const deadline = performance.now() + timeout;
    const call = new Call(this.alive(), this.model, request);
    const results: unknown[] = [];
    const { length } = request.inputs;
    let limit = signal === undefined ? MAX_BATCH : FIRST_WATCHED_BATCH;
    try {
      for (let start = 0; start < length; ) {
        if (start > 0) await nextTask();
        signal?.throwIfAborted();
        const { end, characters } = nextBatch(request, start, limit);
        const begin = performance.now();
        results.push(...runBatch(call, request.inputs, start, end, Math.max(0, deadline - begin) / 1000));
        if (signal !== undefined) limit = watchedLimit(characters, performance.now() - begin);
        progress?.(end, length);
        start = end;
      }
    } finally {
      call.free();
    }
    return results;
  }

  async memoryBytes(): Promise<number> {
    return this.alive().memory.buffer.byteLength;
  }

  async dispose(): Promise<void> {
    this.engine?.stop();
    this.engine = undefined;
  }

  private alive(): Engine {
    if (this.engine === undefined) throw new DisposedError("the model has been disposed of. Load it again.");
    return this.engine;
  }
}

/** Errors name the number of an input in its batch. */
function runBatch(call: Call, inputs: readonly Input[], start: number, end: number, seconds: number): unknown[] {
  try {
    return call.run(inputs.slice(start, end), seconds);
  } catch (error) {
    if (start === 0 || !(error instanceof InputError)) throw error;
    throw new InputError(`in the batch that begins with input ${start}: ${error.message}`);
  }
}

/** The inputs from start that run at once: as many as fit the limit, or one. */
function nextBatch({ inputs, options }: Request, start: number, limit: number): { end: number; characters: number } {
  const { batchSize = Infinity, labels } = options;
  const most = options.batchSize === undefined ? limit : Infinity;
  const size = (input: Input): number => {
    const length = typeof input === "string" ? input.length : input[0].length + input[1].length;
    return (labels?.length ?? 1) * (TEXT_OVERHEAD + length);
  };
  let end = start + 1;
  let characters = size(inputs[start]!);
  for (; end < inputs.length && end - start < batchSize; ++end) {
    const next = size(inputs[end]!);
    if (characters + next > most) break;
    characters += next;
  }
  return { end, characters };
}

/** Characters of a batch that takes WATCHED_MS if this many took `milliseconds`. */
function watchedLimit(characters: number, milliseconds: number): number {
  const limit = (characters * WATCHED_MS) / Math.max(milliseconds, 1);
  return Math.min(MAX_BATCH, Math.max(MIN_WATCHED_BATCH, limit));
}

function readInfo(engine: Engine, model: bigint, support: Support): ModelInfo {
  return engine.within((arena) => {
    const info = arena.struct(new Array<number>(16).fill(0));
    engine.call("mbrt_model_get_info", model, info);
    const field = (i: number) => engine.word(info + 4 * i);
    const label = arena.take(4);
    const labels = Array.from({ length: field(11) }, (_, i) => {
      engine.call("mbrt_model_label", model, i, label);
      return engine.string(engine.word(label));
    });
    const isa = engine.string(field(15));
    return {
      precision: field(1) === 1 ? "int8" : "fp32",
      head: HEADS[field(2)] ?? "unknown",
      labels,
      vocabularySize: field(5),
      hiddenSize: field(7),
      layers: field(8),
      heads: field(9),
      maxLength: field(10),
      embeddingSize: field(16),
      fileBytes: field(13),
      variant: support.variant,
      isa,
      threads: engine.threads,
      notes: support.variant === "relaxed" && !isa.includes("relaxed") ? [...support.notes, NO_FMA] : support.notes,
    };
  });
}
