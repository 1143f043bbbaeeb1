package io.github.mobilebert_rt;

/**
 * A span of the context: {@code text.equals(context.substring(start, end))}. An empty text says that the context holds
 * no answer.
 *
 * @param score a sum of probabilities, which can exceed 1
 */
public record Answer(String text, float score, int start, int end) {}
