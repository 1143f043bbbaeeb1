// What the tasks return. Scores are float32 values; offsets count UTF-16 code units, as String.slice does.

/** One label of a text. score: a probability, or the raw output of a regression. */
export interface Classification {
  label: string;
  score: number;
}

/** The caller's labels of a text, best first, with their scores. */
export interface ZeroShotClassification {
  sequence: string;
  labels: string[];
  scores: number[];
}

/** A document and its relevance to the query. corpusId: its index in the array that was given. */
export interface RankedDocument {
  corpusId: number;
  score: number;
  text: string;
}

/** A labelled span: text === source.slice(start, end). */
export interface Entity {
  text: string;
  label: string;
  score: number;
  start: number;
  end: number;
}

/** A span of the context: text === context.slice(start, end). An empty text: the context holds no answer. */
export interface Answer {
  text: string;
  score: number;
  start: number;
  end: number;
}

/** One proposal for a mask. sequence: the text with this mask replaced. */
export interface Fill {
  token: string;
  tokenId: number;
  score: number;
  sequence: string;
}

/** The tokens of a text or a pair, special tokens included, as arrays of the same length. */
export interface Encoding {
  ids: Int32Array;
  /** 0, or 1 in the second text. */
  typeIds: Int32Array;
  /** The vocabulary's spelling, as "##ing". */
  tokens: string[];
  /** [start, end) of each token in its text; [0, 0] for special tokens. */
  offsets: [number, number][];
  /** 0 first text, 1 second text, -1 special token. */
  sequenceIds: Int32Array;
  /** The number of the word in its text; -1 for special tokens. */
  wordIds: Int32Array;
}
