// Options of calls: their types, and the checks that a program without TypeScript needs.

import { InputError } from "./errors.js";

export type OnOverflow = "error" | "truncate" | "stride";
export type FunctionToApply = "softmax" | "sigmoid" | "none";
export type Aggregation = "none" | "simple" | "first" | "max" | "average";

/** Options of every call. */
export interface CallOptions {
  /** Tokens of a sequence, special tokens included; by default all that the model takes, or the task's own limit. */
  maxLength?: number | undefined;
  /** What happens to a longer text; the default depends on the task. "stride": it is read in windows. */
  onOverflow?: OnOverflow | undefined;
  /** Tokens that neighbouring windows share. */
  stride?: number | undefined;
  /** Texts between two looks at `signal` and at other events; by default by their length, and with a signal by time. */
  batchSize?: number | undefined;
  /** Stops the call, after the batch that is running. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for the whole call; then a TimeoutError. */
  timeout?: number | undefined;
  /** Called after each batch with the number of texts that are done, and of all. */
  progress?: ((done: number, total: number) => void) | undefined;
}

export interface EmbedOptions extends CallOptions {
  /** Put before each text. */
  prompt?: string | undefined;
  /** One of the model's prompts. */
  promptName?: string | undefined;
  /** Keep the first dimensions only. */
  truncateDim?: number | undefined;
  /** Bring vectors to length 1; by default as the model says. */
  normalize?: boolean | undefined;
}

export interface ClassifyOptions extends CallOptions {
  /** The number of labels; by default all. */
  topK?: number | undefined;
  /** To the logits; by default as the model says. */
  functionToApply?: FunctionToApply | undefined;
}

export interface ZeroShotOptions extends CallOptions {
  /** {} stands for the label; "This example is {}." */
  hypothesisTemplate?: string | undefined;
  /** Each label has a score of its own; by default the scores of a text add up to 1. */
  multiLabel?: boolean | undefined;
}

export interface RankOptions extends CallOptions {
  /** The number of documents; by default all. */
  topK?: number | undefined;
  functionToApply?: FunctionToApply | undefined;
}

export interface TagOptions extends CallOptions {
  /** How tokens become entities; "simple" by default. */
  aggregation?: Aggregation | undefined;
}

export interface AnswerOptions extends CallOptions {
  /** The number of answers; 1 by default. */
  topK?: number | undefined;
  /** In tokens; 15 by default. */
  maxAnswerLength?: number | undefined;
  /** An answer with an empty text stands for "not in the context". */
  allowNoAnswer?: boolean | undefined;
  nullThreshold?: number | undefined;
  /** false: an answer may begin or end inside a word. */
  wholeWords?: boolean | undefined;
}

export interface FillOptions extends CallOptions {
  /** The number of proposals for a mask; 5 by default. */
  topK?: number | undefined;
  /** The only tokens to propose, spelled as in the vocabulary. */
  targets?: readonly string[] | undefined;
}

/** The options of all tasks together. */
export type AnyOptions = CallOptions &
  EmbedOptions &
  ClassifyOptions &
  ZeroShotOptions &
  RankOptions &
  TagOptions &
  AnswerOptions &
  FillOptions & { labels?: readonly string[] };

type Check = [holds: (value: unknown) => boolean, expected: string];

const isCount = (min: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= min && Number(value) < 2 ** 31;
const positive: Check = [isCount(1), "a whole number of at least 1"];
const flag: Check = [(value) => typeof value === "boolean", "true or false"];
const text: Check = [(value) => typeof value === "string", "a text"];
const texts: Check = [
  (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
  "an array of texts",
];
const oneOf = (...names: string[]): Check => [(value) => names.includes(value as string), names.join(", ")];

const CHECKS: Record<keyof AnyOptions, Check> = {
  maxLength: positive,
  onOverflow: oneOf("error", "truncate", "stride"),
  stride: [isCount(0), "a whole number of at least 0"],
  batchSize: positive,
  signal: [(value) => typeof (value as AbortSignal | null)?.aborted === "boolean", "an AbortSignal"],
  timeout: [(value) => typeof value === "number" && value >= 0, "milliseconds of at least 0"],
  progress: [(value) => typeof value === "function", "a function"],
  prompt: text,
  promptName: text,
  truncateDim: positive,
  normalize: flag,
  topK: positive,
  functionToApply: oneOf("softmax", "sigmoid", "none"),
  hypothesisTemplate: text,
  multiLabel: flag,
  aggregation: oneOf("none", "simple", "first", "max", "average"),
  maxAnswerLength: positive,
  allowNoAnswer: flag,
  nullThreshold: [(value) => typeof value === "number" && !Number.isNaN(value), "a number"],
  wholeWords: flag,
  targets: [(value) => texts[0](value) && (value as string[]).length > 0, "an array of at least one text"],
  labels: texts,
};

export const COMMON = ["maxLength", "onOverflow", "stride", "batchSize", "signal", "timeout", "progress"] as const;

/** The options that are given, checked. names: those of the task beside the common ones. */
export function checked(options: object | undefined, names: readonly string[]): AnyOptions {
  const known: readonly string[] = [...COMMON, ...names];
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options ?? {})) {
    if (!known.includes(name)) {
      throw new InputError(`options: found "${name}"; expected ${known.join(", ")}.`);
    }
    if (value === undefined) continue;
    const [holds, expected] = CHECKS[name as keyof AnyOptions];
    if (!holds(value)) throw new InputError(`${name}: found ${shown(value)}; expected ${expected}.`);
    found[name] = value;
  }
  return found as AnyOptions;
}

/** A value in an error message. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? value.slice(0, 60) + "…" : value);
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "an array" : "an object";
}
