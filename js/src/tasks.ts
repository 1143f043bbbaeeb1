// The tasks, with the names, defaults and results of the Python package.

import { InputError } from "./errors.js";
import {
  type AnswerOptions,
  type CallOptions,
  type ClassifyOptions,
  type EmbedOptions,
  type FillOptions,
  type RankOptions,
  shown,
  type TagOptions,
  type ZeroShotOptions,
} from "./options.js";
import type {
  Answer,
  Classification,
  Encoding,
  Entity,
  Fill,
  RankedDocument,
  ZeroShotClassification,
} from "./results.js";
import type { Input } from "./runner.js";
import type { Source } from "./source.js";
import {
  checkedInput,
  checkedInputs,
  checkedText,
  isMany,
  type Loading,
  loadTask,
  type Many,
  TextTask,
} from "./task.js";

type Stream<T> = Iterable<T> | AsyncIterable<T>;

/** Texts to vectors, as sentence-transformers computes them. */
export class TextEmbedder extends TextTask<EmbedOptions> {
  protected readonly task = "embed";
  static readonly optionNames: readonly string[] = ["prompt", "promptName", "truncateDim", "normalize"];

  static fromPretrained(source: Source, options?: Loading<EmbedOptions>): Promise<TextEmbedder> {
    return loadTask(TextEmbedder, source, options);
  }

  /** The vector of a text; an array of vectors for several. */
  embed(text: string, options?: EmbedOptions): Promise<Float32Array>;
  embed(texts: Many<string>, options?: EmbedOptions): Promise<Float32Array[]>;
  async embed(texts: string | Many<string>, options?: EmbedOptions): Promise<unknown> {
    return one(texts, (inputs) => this.runMany(inputs, options));
  }

  /** The same, one vector after another, for texts too many to hold. */
  stream(texts: Stream<string>, options?: EmbedOptions): AsyncGenerator<Float32Array, void, undefined> {
    return this.streamed(texts, options);
  }
}

/** Texts, or pairs of texts, to the labels of the model. */
export class TextClassifier extends TextTask<ClassifyOptions> {
  protected readonly task = "classify";
  static readonly optionNames: readonly string[] = ["topK", "functionToApply"];

  static fromPretrained(source: Source, options?: Loading<ClassifyOptions>): Promise<TextClassifier> {
    return loadTask(TextClassifier, source, options);
  }

  /** The labels of a text, best first; an array of that for several. A pair is an array in an array. */
  classify(text: string, options?: ClassifyOptions): Promise<Classification[]>;
  classify(texts: Many<Input>, options?: ClassifyOptions): Promise<Classification[][]>;
  async classify(texts: string | Many<Input>, options?: ClassifyOptions): Promise<unknown> {
    return one(texts, (inputs) => this.runMany(inputs, options));
  }

  stream(texts: Stream<Input>, options?: ClassifyOptions): AsyncGenerator<Classification[], void, undefined> {
    return this.streamed(texts, options);
  }
}

/** Labels that the caller chooses, by a model for natural language inference (NLI). */
export class ZeroShotClassifier extends TextTask<ZeroShotOptions> {
  protected readonly task = "zero-shot";
  static readonly optionNames: readonly string[] = ["hypothesisTemplate", "multiLabel"];

  static fromPretrained(source: Source, options?: Loading<ZeroShotOptions>): Promise<ZeroShotClassifier> {
    return loadTask(ZeroShotClassifier, source, options);
  }

  /** The labels of a text with their scores, best first; an array of that for several. */
  classify(text: string, labels: readonly string[], options?: ZeroShotOptions): Promise<ZeroShotClassification>;
  classify(
    texts: Many<string>, labels: readonly string[], options?: ZeroShotOptions,
  ): Promise<ZeroShotClassification[]>;
  async classify(texts: string | Many<string>, labels: readonly string[], options?: ZeroShotOptions): Promise<unknown> {
    return one(texts, (inputs) => this.runMany(inputs, options, { labels: checkedLabels(labels) }));
  }

  stream(
    texts: Stream<string>, labels: readonly string[], options?: ZeroShotOptions,
  ): AsyncGenerator<ZeroShotClassification, void, undefined> {
    return this.streamed(texts, options, { labels: checkedLabels(labels) });
  }
}

/** Names, places and other spans of a text, by a model for token classification. */
export class TokenClassifier extends TextTask<TagOptions> {
  protected readonly task = "tag";
  static readonly optionNames: readonly string[] = ["aggregation"];

  static fromPretrained(source: Source, options?: Loading<TagOptions>): Promise<TokenClassifier> {
    return loadTask(TokenClassifier, source, options);
  }

  /** The entities of a text in order; an array of that for several. */
  tag(text: string, options?: TagOptions): Promise<Entity[]>;
  tag(texts: Many<string>, options?: TagOptions): Promise<Entity[][]>;
  async tag(texts: string | Many<string>, options?: TagOptions): Promise<unknown> {
    return one(texts, (inputs) => this.runMany(inputs, options));
  }

  stream(texts: Stream<string>, options?: TagOptions): AsyncGenerator<Entity[], void, undefined> {
    return this.streamed(texts, options);
  }
}

/** Answers to questions, as spans of a context. */
export class QuestionAnswerer extends TextTask<AnswerOptions> {
  protected readonly task = "answer";
  static readonly optionNames: readonly string[] = [
    "topK",
    "maxAnswerLength",
    "allowNoAnswer",
    "nullThreshold",
    "wholeWords",
  ];

  static fromPretrained(source: Source, options?: Loading<AnswerOptions>): Promise<QuestionAnswerer> {
    return loadTask(QuestionAnswerer, source, options);
  }

  /** The answers to a question, best first; an array of that for several questions about one context. */
  answer(question: string, context: string, options?: AnswerOptions): Promise<Answer[]>;
  answer(questions: Many<string>, context: string, options?: AnswerOptions): Promise<Answer[][]>;
  async answer(questions: string | Many<string>, context: string, options?: AnswerOptions): Promise<unknown> {
    const about = checkedText(context, "context");
    return one(questions, (inputs) =>
      this.runMany(
        inputs.map((question, i): Input => [checkedText(question, `questions[${i}]`), about]),
        options,
      ),
    );
  }

  /** For pairs of question and context. */
  stream(
    pairs: Stream<readonly [string, string]>, options?: AnswerOptions,
  ): AsyncGenerator<Answer[], void, undefined> {
    return this.streamed(pairs, options);
  }
}

/** The tokens that a masked language model predicts for the masks ([MASK]) of a text. */
export class FillMask extends TextTask<FillOptions> {
  protected readonly task = "fill";
  static readonly optionNames: readonly string[] = ["topK", "targets"];

  static fromPretrained(source: Source, options?: Loading<FillOptions>): Promise<FillMask> {
    return loadTask(FillMask, source, options);
  }

  /** For each mask of the text, in order, its proposals, best first; an array of that for several texts. */
  fill(text: string, options?: FillOptions): Promise<Fill[][]>;
  fill(texts: Many<string>, options?: FillOptions): Promise<Fill[][][]>;
  async fill(texts: string | Many<string>, options?: FillOptions): Promise<unknown> {
    return one(texts, (inputs) => this.runMany(inputs, options));
  }

  stream(texts: Stream<string>, options?: FillOptions): AsyncGenerator<Fill[][], void, undefined> {
    return this.streamed(texts, options);
  }
}

/** The relevance of documents to a query, by a cross-encoder. */
export class Reranker extends TextTask<RankOptions> {
  protected readonly task = "rank";
  static readonly optionNames: readonly string[] = ["topK", "functionToApply"];

  static fromPretrained(source: Source, options?: Loading<RankOptions>): Promise<Reranker> {
    return loadTask(Reranker, source, options);
  }

  /** The documents, best first. */
  async rank(query: string, documents: Many<string>, options?: RankOptions): Promise<RankedDocument[]> {
    const texts = Array.from(documents, (document, i) => checkedText(document, `documents[${i}]`));
    const about = checkedText(query, "query");
    const { topK = texts.length } = this.merged(options);
    const scores = await this.runMany<number>(texts.map((text): Input => [about, text]), withoutTopK(options));
    const ranked = texts.map((text, corpusId) => ({ corpusId, score: scores[corpusId]!, text }));
    return ranked.sort((a, b) => b.score - a.score).slice(0, topK);
  }

  /** The score of each pair (query, document). */
  async scores(pairs: Many<readonly [string, string]>, options?: RankOptions): Promise<Float32Array> {
    return Float32Array.from(await this.runMany<number>(checkedInputs(pairs), withoutTopK(options)));
  }
}

/** The tokenizer of a model. */
export class Tokenizer extends TextTask<CallOptions> {
  protected readonly task = "tokenize";
  static readonly optionNames: readonly string[] = [];

  static fromPretrained(source: Source, options?: Loading<CallOptions>): Promise<Tokenizer> {
    return loadTask(Tokenizer, source, options);
  }

  /** The tokens of a text, special tokens included; an array of that for several. A pair is an array in an array. */
  encode(text: string): Promise<Encoding>;
  encode(texts: Many<Input>): Promise<Encoding[]>;
  async encode(texts: string | Many<Input>): Promise<unknown> {
    return one(texts, (inputs) => this.runMany(inputs, undefined));
  }
}

/** One result for one text, all of them for several. */
async function one(texts: unknown, run: (inputs: Input[]) => Promise<unknown[]>): Promise<unknown> {
  if (isMany(texts)) return run(checkedInputs(texts));
  return (await run([checkedInput(texts, "text")]))[0];
}

function checkedLabels(labels: unknown): string[] {
  if (!isMany(labels)) throw new InputError(`labels: found ${shown(labels)}; expected an array of texts.`);
  return Array.from(labels, (label, i) => checkedText(label, `labels[${i}]`));
}

/** Each pair has one score; the best are chosen among all of them. */
function withoutTopK({ topK: _, ...options }: RankOptions = {}): RankOptions {
  return options;
}
