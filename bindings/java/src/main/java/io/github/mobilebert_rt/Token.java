package io.github.mobilebert_rt;

/**
 * One token of a text or of a pair.
 *
 * @param id its number in the vocabulary
 * @param piece the vocabulary's spelling, as "##ing"
 * @param type 0, or 1 in the second text
 * @param part 0 first text, 1 second text, -1 special token
 * @param word the number of the word in its text, -1 for special tokens
 * @param start the first UTF-16 unit of the token in its text; 0 for special tokens
 * @param end the unit after the last one
 */
public record Token(int id, String piece, int type, int part, int word, int start, int end) {}
