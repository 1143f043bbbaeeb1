package io.github.mobilebert_rt;

/** How labelled tokens become entities. */
public enum Aggregation {
  /** SIMPLE. */
  DEFAULT,
  /** Every token on its own. */
  NONE,
  /** Consecutive tokens of one label. */
  SIMPLE,
  /** Words, with the label of their first token. */
  FIRST,
  /** Words, with the label of their most confident token. */
  MAX,
  /** Words, with the label of the highest mean over their tokens. */
  AVERAGE
}
