package io.github.mobilebert_rt;

/** A valid model lacks what a call needs, or needs what this release does not have. */
public final class UnsupportedModelException extends UnsupportedOperationException {
  private static final long serialVersionUID = 1;

  UnsupportedModelException(String message) {
    super(message);
  }
}
