// What the tasks share: loading, one input or many, streams.

import { InputError } from "./errors.js";
import { loadLocal, type LocalOptions } from "./local.js";
import { type AnyOptions, type CallOptions, checked, shown } from "./options.js";
import type { EngineWorker } from "./remote.js";
import type { Encoding } from "./results.js";
import type { Input, ModelInfo, Request, Runner, Task } from "./runner.js";
import type { Source } from "./source.js";

/** How a model is loaded. */
export interface LoadOptions extends LocalOptions {
  /** Where it runs: a worker from createWorker(), by default this thread. */
  worker?: EngineWorker | undefined;
}

/** How a model is loaded, and options of every call. */
export type Loading<Options> = LoadOptions & Omit<Options, keyof LoadOptions>;

const LOAD_OPTIONS = ["signal", "progress", "wasm", "variant", "threads", "worker"] as const;

/** A text, or texts: an array or another iterable. */
export type Many<T> = Iterable<T>;

export function isMany(inputs: unknown): inputs is Iterable<unknown> {
  return typeof inputs === "object" && inputs !== null && Symbol.iterator in inputs;
}

export async function loadRunner(source: Source, options: LoadOptions): Promise<Runner> {
  return options.worker === undefined ? loadLocal(source, options) : options.worker.load(source, options);
}

/** A model and what it is used for. Loaded with `fromPretrained`; ended with `dispose`. */
export abstract class TextTask<Options extends CallOptions> {
  protected abstract readonly task: Task;
  /** Options of every call, unless the call has others. */
  private readonly defaults: AnyOptions = {};

  /** For subclasses; use `fromPretrained`. */
  constructor(protected readonly runner: Runner) {}

  /** What the model is, and what runs it. */
  get info(): ModelInfo {
    return this.runner.info;
  }

  /** Bytes of the engine's memory, the model included. */
  memoryBytes(): Promise<number> {
    return this.runner.memoryBytes();
  }

  /** Ends the task and frees its memory. Later calls are a DisposedError. */
  dispose(): Promise<void> {
    return this.runner.dispose();
  }

  /** The tokens of a text or a pair, special tokens included. */
  async tokenize(text: string, pair?: string): Promise<Encoding> {
    const input: Input = pair === undefined ? text : [text, pair];
    const request: Request = { task: "tokenize", inputs: [checkedInput(input, "text")], options: {} };
    return (await this.runner.run(request, {}))[0] as Encoding;
  }

  /** One result for each input. extra: options that are arguments of the method. */
  protected async runMany<R>(
    inputs: readonly Input[],
    options: Options | undefined,
    extra: AnyOptions = {},
  ): Promise<R[]> {
    const { signal, timeout, progress, ...rest } = this.merged(options);
    signal?.throwIfAborted();
    if (inputs.length === 0) return [];
    const request: Request = { task: this.task, inputs, options: { ...rest, ...extra } };
    return (await this.runner.run(request, { signal, timeout, progress })) as R[];
  }

  protected merged(options: Options | undefined): AnyOptions {
    return { ...this.defaults, ...checked(options, (this.constructor as TaskClass<unknown>).optionNames) };
  }

  /** Results in the inputs' order, made in batches as they are asked for. */
  protected async *streamed<R>(
    inputs: Iterable<unknown> | AsyncIterable<unknown>,
    options: Options | undefined,
    extra: AnyOptions = {},
  ): AsyncGenerator<R, void, undefined> {
    const { batchSize, timeout } = this.merged(options);
    const deadline = timeout === undefined ? undefined : performance.now() + timeout;
    let index = 0;
    for await (const group of groups(inputs, batchSize)) {
      const texts = group.map((input) => checkedInput(input, `texts[${index++}]`));
      const left = deadline === undefined ? {} : { timeout: Math.max(0, deadline - performance.now()) };
      yield* await this.runMany<R>(texts, { ...options, ...left } as Options, extra);
    }
  }
}

interface TaskClass<T> {
  new (runner: Runner): T;
  /** The names of its options beside the common ones. */
  readonly optionNames: readonly string[];
}

/** A task with its model. */
export async function loadTask<T extends object>(
  type: TaskClass<T>,
  source: Source,
  options: Loading<object> = {},
): Promise<T> {
  const load: Record<string, unknown> = {};
  const defaults: Record<string, unknown> = { ...options };
  for (const name of LOAD_OPTIONS) {
    load[name] = defaults[name];
    delete defaults[name];
  }
  const own = checked(defaults, type.optionNames);
  const task = new type(await loadRunner(source, load as LoadOptions));
  return Object.assign(task, { defaults: own });
}

/** An input that a program without TypeScript may have got wrong. */
export function checkedInput(input: unknown, name: string): Input {
  if (typeof input === "string") return input;
  if (Array.isArray(input) && input.length === 2 && input.every((part) => typeof part === "string")) {
    return input as unknown as Input;
  }
  const expected = "expected a text, or a pair of texts where the task reads pairs.";
  throw new InputError(`${name}: found ${shown(input)}; ${expected}`);
}

export function checkedText(input: unknown, name: string): string {
  if (typeof input === "string") return input;
  throw new InputError(`${name}: found ${shown(input)}; expected a text.`);
}

export function checkedInputs(inputs: Iterable<unknown>): Input[] {
  return Array.from(inputs, (input, i) => checkedInput(input, `texts[${i}]`));
}

const GROUP_CHARACTERS = 4000;

async function* groups(
  inputs: Iterable<unknown> | AsyncIterable<unknown>,
  size: number | undefined,
): AsyncGenerator<unknown[]> {
  let group: unknown[] = [];
  let characters = 0;
  for await (const input of inputs) {
    group.push(input);
    if (typeof input === "string") characters += input.length;
    else if (Array.isArray(input)) characters += input.join("").length;
    if (size === undefined ? characters >= GROUP_CHARACTERS : group.length >= size) {
      yield group;
      group = [];
      characters = 0;
    }
  }
  if (group.length > 0) yield group;
}
