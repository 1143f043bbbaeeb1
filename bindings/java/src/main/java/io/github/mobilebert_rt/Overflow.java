package io.github.mobilebert_rt;

/** What happens to a text with more tokens than a call takes. */
public enum Overflow {
  /** Vectors, zero-shot and ranks: TRUNCATE; answers: STRIDE; other tasks: ERROR. */
  DEFAULT,
  /** An IllegalArgumentException. */
  ERROR,
  /** The end is cut; of a pair, that of the longer text. */
  TRUNCATE,
  /** The text is read in windows; of a pair, the second. */
  STRIDE
}
