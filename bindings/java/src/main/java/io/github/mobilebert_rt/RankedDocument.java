package io.github.mobilebert_rt;

/**
 * A document and its relevance to the query.
 *
 * @param index its place in the list that was given
 */
public record RankedDocument(int index, float score, String text) {}
