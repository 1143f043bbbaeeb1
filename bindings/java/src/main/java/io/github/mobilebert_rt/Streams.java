package io.github.mobilebert_rt;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** What InputStream has in Java 9, and in Android since API 33. */
final class Streams {
  private Streams() {}

  static void copy(InputStream from, OutputStream to) throws IOException {
    byte[] buffer = new byte[1 << 16];
    for (int count = from.read(buffer); count >= 0; count = from.read(buffer)) to.write(buffer, 0, count);
  }

  static byte[] read(InputStream from) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    copy(from, bytes);
    return bytes.toByteArray();
  }
}
