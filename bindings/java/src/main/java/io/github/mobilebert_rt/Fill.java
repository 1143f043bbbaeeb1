package io.github.mobilebert_rt;

/**
 * One proposal for a mask.
 *
 * @param sequence the text with this mask replaced
 */
public record Fill(String token, int tokenId, float score, String sequence) {}
