package io.github.mobilebert_rt;

/**
 * One label of a text.
 *
 * @param score a probability, or the raw output of a regression
 */
public record Classification(String label, float score) {}
