// One call of the C API: settings from a request, batches of inputs, results.

import { Arena, type Engine, type Field } from "./engine.js";
import type { AnyOptions } from "./options.js";
import type { Answer, Classification, Encoding, Entity, Fill, ZeroShotClassification } from "./results.js";
import type { Input, Request, Task } from "./runner.js";
import { Utf16Offsets } from "./utf16.js";

const EMBEDDING = 32; // MBRT_EMBEDDING
const TASKS: Partial<Record<Task, number>> = { classify: 1, tag: 2, answer: 3, fill: 4, "zero-shot": 5, rank: 6 };
const ACTIVATIONS = ["", "softmax", "sigmoid", "none"];
const AGGREGATIONS = ["", "none", "simple", "first", "max", "average"];
const OVERFLOWS = ["", "error", "truncate", "stride"];

const RESULT_FIELDS = 8; // of mbrt_result, after struct_size
const TOKEN_BYTES = 24; // of mbrt_token

const numberOf = (names: string[], name: string | undefined) => names.indexOf(name ?? "");

interface Result {
  label: string;
  text: string;
  begin: number;
  end: number;
  group: number;
  id: number;
  score: number;
}

export class Call {
  private readonly handle: bigint;

  constructor(
    private readonly engine: Engine,
    private readonly model: bigint,
    private readonly request: Request,
  ) {
    this.handle = engine.within((arena) => {
      const place = arena.take(8);
      engine.call("mbrt_call_new", model, place);
      return engine.handle(place);
    });
    try {
      engine.within((arena) => this.configure(arena, request.options));
    } catch (error) {
      this.free();
      throw error;
    }
  }

  free(): void {
    if (this.engine.isAlive) this.engine.call("mbrt_call_free", this.handle);
  }

  private configure(arena: Arena, options: AnyOptions): void {
    const { engine, handle } = this;
    const { task } = this.request;
    if (task === "tokenize") return;
    if (task === "embed") {
      engine.call("mbrt_call_set_outputs", handle, EMBEDDING);
      engine.call("mbrt_call_set_embedding", handle, arena.struct(embeddingFields(arena, options)));
    } else {
      engine.call("mbrt_call_set_task", handle, TASKS[task]!, arena.struct(taskFields(arena, options)));
    }
    if (engine.threads > 1) engine.call("mbrt_call_set_threads", handle, engine.threads);
    const overflow = numberOf(OVERFLOWS, options.onOverflow);
    engine.call("mbrt_call_set_limits", handle, options.maxLength ?? 0, overflow, options.stride ?? 0);
  }

  /** One result for each input. seconds: until a TimeoutError. */
  run(inputs: readonly Input[], seconds: number): unknown[] {
    const { engine, handle, request } = this;
    if (request.task === "tokenize") return inputs.map((input) => this.encoding(input));
    engine.call("mbrt_call_clear", handle);
    for (const input of inputs) engine.within((arena) => this.add(arena, input));
    engine.call("mbrt_call_set_timeout", handle, seconds);
    engine.call("mbrt_call_run", handle);
    return engine.within((arena) => inputs.map((input, item) => this.result(arena, input, item)));
  }

  private add(arena: Arena, input: Input): void {
    const { engine, handle } = this;
    if (typeof input === "string") engine.call("mbrt_call_add_text", handle, ...arena.utf8(input));
    else engine.call("mbrt_call_add_pair", handle, ...arena.utf8(input[0]), ...arena.utf8(input[1]));
  }

  private result(arena: Arena, input: Input, item: number): unknown {
    if (this.request.task === "embed") return this.vector(arena, item);
    const found = this.results(arena, item);
    switch (this.request.task) {
      case "classify":
        return found.map(({ label, score }): Classification => ({ label, score }));
      case "zero-shot": {
        const { labels } = this.request.options;
        return {
          sequence: input,
          labels: found.map(({ id }) => labels![id]),
          scores: found.map(({ score }) => score),
        } as ZeroShotClassification;
      }
      case "rank":
        return found[0]!.score;
      case "tag":
        return spans(input as string, found, ({ label }) => ({ label })) as Entity[];
      case "answer":
        return spans(input[1]!, found, () => ({})) as Answer[];
      default:
        return masks(found);
    }
  }

  private vector(arena: Arena, item: number): Float32Array {
    const { engine, handle } = this;
    const view = arena.struct([0, 0, 0, 0]); // data, rows, columns, stride
    engine.call("mbrt_call_view", handle, EMBEDDING, 0, item, view);
    return new Float32Array(engine.memory.buffer, engine.word(view + 4), engine.word(view + 12)).slice();
  }

  private results(arena: Arena, item: number): Result[] {
    const { engine, handle } = this;
    const count = arena.take(4);
    engine.call("mbrt_call_result_count", handle, item, count);
    const result = arena.struct(new Array<number>(RESULT_FIELDS).fill(0));
    return Array.from({ length: engine.word(count) }, (_, index) => {
      engine.call("mbrt_call_result", handle, item, index, result);
      const [, label, text, textBytes, begin, end, group] = this.words(result, 7);
      const data = engine.data();
      return {
        label: engine.string(label!),
        text: engine.text(text!, textBytes!),
        begin: begin!,
        end: end!,
        group: group!,
        id: data.getInt32(result + 28, true),
        score: data.getFloat32(result + 32, true),
      };
    });
  }

  private words(pointer: number, count: number): number[] {
    const data = this.engine.data();
    return Array.from({ length: count }, (_, i) => data.getUint32(pointer + 4 * i, true));
  }

  private encoding(input: Input): Encoding {
    const { engine, model } = this;
    const [first, second] = typeof input === "string" ? [input, undefined] : input;
    return engine.within((arena) => {
      const texts = [...arena.utf8(first), ...(second === undefined ? [0, 0] : arena.utf8(second))];
      const count = arena.take(4);
      if (engine.fits("mbrt_model_tokenize", model, ...texts, 0, 0, count)) return encodingOf([], [], [first, ""]);
      const size = engine.word(count);
      const tokens = arena.take(TOKEN_BYTES * size);
      engine.call("mbrt_model_tokenize", model, ...texts, tokens, size, count);
      const fields = new Int32Array(engine.memory.buffer, tokens, 6 * size).slice();
      const rows = Array.from({ length: size }, (_, i) => fields.subarray(6 * i, 6 * i + 6));
      return encodingOf(rows, rows.map(([id]) => this.piece(arena, id!)), [first, second ?? ""]);
    });
  }

  private piece(arena: Arena, id: number): string {
    const needed = arena.take(4);
    this.engine.fits("mbrt_model_piece", this.model, id, 0, 0, needed);
    const size = this.engine.word(needed);
    const piece = arena.take(size);
    this.engine.call("mbrt_model_piece", this.model, id, piece, size, needed);
    return this.engine.text(piece, size - 1);
  }
}

/** mbrt_embedding_options after struct_size. */
function embeddingFields(arena: Arena, options: AnyOptions): Field[] {
  return [
    options.prompt === undefined ? 0 : arena.cstring(options.prompt, "prompt"),
    options.promptName === undefined ? 0 : arena.cstring(options.promptName, "promptName"),
    options.truncateDim ?? 0,
    options.normalize === undefined ? 0 : options.normalize ? 1 : 2,
  ];
}

/** mbrt_task_options after struct_size. */
function taskFields(arena: Arena, options: AnyOptions): Field[] {
  const { labels = [], targets = [], hypothesisTemplate } = options;
  return [
    options.topK ?? 0,
    options.maxAnswerLength ?? 0,
    numberOf(ACTIVATIONS, options.functionToApply),
    numberOf(AGGREGATIONS, options.aggregation),
    Number(options.allowNoAnswer ?? false),
    Number(options.wholeWords === false),
    { float: options.nullThreshold ?? 0 },
    Number(options.multiLabel ?? false),
    hypothesisTemplate === undefined ? 0 : arena.cstring(hypothesisTemplate, "hypothesisTemplate"),
    arena.cstrings(labels, "labels"),
    labels.length,
    arena.cstrings(targets, "targets"),
    targets.length,
  ];
}

/** Byte offsets to UTF-16; the text is cut from the source, which may hold what UTF-8 cannot. */
function spans(source: string, found: Result[], more: (result: Result) => object): object[] {
  const offsets = new Utf16Offsets(source);
  return found.map((result) => {
    const start = offsets.at(result.begin);
    const end = offsets.at(result.end);
    return { text: source.slice(start, end), ...more(result), score: result.score, start, end };
  });
}

/** The proposals of each mask. */
function masks(found: Result[]): Fill[][] {
  const all: Fill[][] = [];
  for (const { group, label: token, id: tokenId, score, text: sequence } of found) {
    (all[group] ??= []).push({ token, tokenId, score, sequence });
  }
  return all;
}

function encodingOf(rows: Int32Array[], tokens: string[], texts: [string, string]): Encoding {
  const column = (i: number) => Int32Array.from(rows, (row) => row[i]!);
  const maps = texts.map((text) => new Utf16Offsets(text));
  return {
    ids: column(0),
    typeIds: column(1),
    tokens,
    offsets: rows.map(([, , part, , begin, end]) => {
      const map = maps[part!];
      return map === undefined ? [0, 0] : [map.at(begin!), map.at(end!)];
    }),
    sequenceIds: column(2),
    wordIds: column(3),
  };
}
