package io.github.mobilebert_rt;

import java.io.IOException;

/** A model file is damaged, inconsistent, or not of this library. */
public final class ModelFormatException extends IOException {
  private static final long serialVersionUID = 1;

  ModelFormatException(String message) {
    super(message);
  }
}
