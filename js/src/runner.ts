// What the tasks need of a model, whether it is in this thread or in a worker. Requests and results can be posted.

import type { AnyOptions } from "./options.js";
import type { Variant } from "./variants.js";

/** A text, or a pair of texts. */
export type Input = string | readonly [string, string];

export type Task = "embed" | "classify" | "zero-shot" | "rank" | "tag" | "answer" | "fill" | "tokenize";

/** One call of a task. options: checked, without `signal`, `timeout` and `progress`. */
export interface Request {
  task: Task;
  inputs: readonly Input[];
  options: AnyOptions;
}

export interface Control {
  signal?: AbortSignal | undefined;
  timeout?: number | undefined;
  progress?: ((done: number, total: number) => void) | undefined;
}

/** What a model is, and what runs it. */
export interface ModelInfo {
  precision: "fp32" | "int8";
  /** "none", "sequence_classification", "question_answering" or another. */
  head: string;
  /** The names of a classification head's outputs. */
  labels: string[];
  vocabularySize: number;
  hiddenSize: number;
  layers: number;
  heads: number;
  /** The most tokens of a sequence, special tokens included. */
  maxLength: number;
  /** The length of a vector of TextEmbedder. */
  embeddingSize: number;
  fileBytes: number;
  /** The WebAssembly module, and its kernel set. */
  variant: Variant;
  isa: string;
  /** How many threads run a call. */
  threads: number;
  /** Why a slower module, or one thread, is used; empty when none is. */
  notes: string[];
}

export interface Runner {
  readonly info: ModelInfo;
  /** One result for each input, in order. */
  run(request: Request, control: Control): Promise<unknown[]>;
  /** Bytes of the engine's memory, the model included. */
  memoryBytes(): Promise<number>;
  dispose(): Promise<void>;
}
