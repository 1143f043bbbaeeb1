package io.github.mobilebert_rt;

/** What is applied to the outputs of a classification head. */
public enum Activation {
  /** As the model file says; else SOFTMAX, of one label SIGMOID. */
  DEFAULT,
  SOFTMAX,
  SIGMOID,
  NONE
}
