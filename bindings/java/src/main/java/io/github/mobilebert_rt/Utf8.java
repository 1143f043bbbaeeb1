package io.github.mobilebert_rt;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** Strings of the C API. */
final class Utf8 {
  private static final byte[] REPLACEMENT = {(byte) 0xEF, (byte) 0xBF, (byte) 0xBD}; // U+FFFD

  private Utf8() {}

  /** A text's bytes; a lone surrogate becomes U+FFFD. */
  static byte[] encode(String name, String text) {
    Objects.requireNonNull(text, name);
    try {
      ByteBuffer bytes =
          StandardCharsets.UTF_8
              .newEncoder()
              .onMalformedInput(CodingErrorAction.REPLACE)
              .replaceWith(REPLACEMENT)
              .encode(CharBuffer.wrap(text));
      byte[] array = new byte[bytes.remaining()];
      bytes.get(array);
      return array;
    } catch (CharacterCodingException e) {
      throw new AssertionError(e); // every string can be encoded
    }
  }

  /** The bytes of a string that ends at its first zero byte in C. */
  static byte[] name(String name, String text) {
    byte[] bytes = encode(name, text);
    if (text.indexOf('\0') < 0) return bytes;
    throw new IllegalArgumentException(name + ": contains a zero character; expected none. Remove it.");
  }

  static byte[][] names(String name, List<String> texts) {
    byte[][] bytes = new byte[texts.size()][];
    for (int i = 0; i < bytes.length; ++i) bytes[i] = name(name + "[" + i + "]", texts.get(i));
    return bytes;
  }

  static String decode(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** For each byte of a text, and for its end, the number of UTF-16 units before it. */
  static int[] units(byte[] text) {
    int[] before = new int[text.length + 1];
    for (int i = 0; i < text.length; ++i) {
      int lead = text[i] & 0xFF;
      int units = lead >= 0xF0 ? 2 : lead < 0x80 || lead >= 0xC0 ? 1 : 0;
      before[i + 1] = before[i] + units;
    }
    return before;
  }
}
