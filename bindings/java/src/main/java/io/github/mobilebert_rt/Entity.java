package io.github.mobilebert_rt;

/**
 * A labelled span of a text: {@code text.equals(source.substring(start, end))}.
 *
 * @param score the mean over its tokens or words
 */
public record Entity(String text, String label, float score, int start, int end) {}
