package io.github.mobilebert_rt;

import java.util.concurrent.CancellationException;

/** The exceptions of the C API's statuses. */
final class Errors {
  private Errors() {}

  /** Throws the exception of a status; called by native code. */
  static void raise(int status, byte[] message) throws ModelFormatException {
    String text = Utf8.decode(message);
    switch (status) {
      case 1: // MBRT_ERROR_INPUT
        throw new IllegalArgumentException(text);
      case 2: // MBRT_ERROR_MODEL_FORMAT
        throw new ModelFormatException(text);
      case 3: // MBRT_ERROR_UNSUPPORTED_MODEL
        throw new UnsupportedModelException(text);
      case 4: // MBRT_ERROR_CANCELLED
        throw new CancellationException(text);
      case 5: // MBRT_ERROR_TIMEOUT
        throw new CallTimeoutException(text);
      case 6: // MBRT_ERROR_HANDLE
      case 7: // MBRT_ERROR_BUSY
      case 10: // MBRT_ERROR_NO_RESULT
        throw new IllegalStateException(text);
      case 9: // MBRT_ERROR_MEMORY
        throw new OutOfMemoryError(text);
      default:
        throw new AssertionError(text);
    }
  }

  /** The value, if it is at least min. */
  static int atLeast(int min, String name, int value) {
    if (value >= min) return value;
    throw new IllegalArgumentException(
        name + ": found " + value + "; expected a whole number of at least " + min + ".");
  }
}
