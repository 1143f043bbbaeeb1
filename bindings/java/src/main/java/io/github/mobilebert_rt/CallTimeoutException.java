package io.github.mobilebert_rt;

/** A call took longer than its timeout. */
public final class CallTimeoutException extends RuntimeException {
  private static final long serialVersionUID = 1;

  CallTimeoutException(String message) {
    super(message);
  }
}
