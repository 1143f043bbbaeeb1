package io.github.mobilebert_rt;

import java.util.List;

/** The caller's labels of texts, best first. */
public final class ZeroShotClassifier extends Task<ZeroShotClassifier> {
  private byte[] hypothesisTemplate;
  private boolean multiLabel;

  /** Uses a model for natural language inference. */
  public ZeroShotClassifier(Model model) {
    super(model);
  }

  /** With another sentence than "This example is {}."; {} stands for the label. */
  public ZeroShotClassifier withHypothesisTemplate(String template) {
    ZeroShotClassifier copy = copy();
    copy.hypothesisTemplate = Utf8.name("hypothesisTemplate", template);
    return copy;
  }

  /** With a score of its own for each label; by default the scores of a text add up to 1. */
  public ZeroShotClassifier withMultiLabel(boolean multiLabel) {
    ZeroShotClassifier copy = copy();
    copy.multiLabel = multiLabel;
    return copy;
  }

  /** The labels of a text. */
  public List<Classification> classify(String text, List<String> labels) {
    return run(setup(labels), new Input(text), TextClassifier::labels);
  }

  /** The labels of texts, in their order. */
  public List<List<Classification>> classify(List<String> texts, List<String> labels) {
    return run(setup(labels), inputs(texts), TextClassifier::labels);
  }

  private Setup setup(List<String> labels) {
    TaskOptions options = new TaskOptions();
    options.hypothesisTemplate = hypothesisTemplate;
    options.multiLabel = multiLabel;
    options.labels = Utf8.names("labels", labels);
    return call -> options.apply(call, TaskOptions.ZERO_SHOT);
  }
}
