package io.github.mobilebert_rt;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;

/** Labels of texts or of pairs of texts, best first. */
public final class TextClassifier extends Task<TextClassifier> {
  private int topK;
  private Activation activation = Activation.DEFAULT;

  /** Uses a model with a head for sequence classification. */
  public TextClassifier(Model model) {
    super(model);
  }

  /** With the best labels only. */
  public TextClassifier withTopK(int topK) {
    TextClassifier copy = copy();
    copy.topK = Errors.atLeast(1, "topK", topK);
    return copy;
  }

  /** With this function of the head's outputs as the score. */
  public TextClassifier withActivation(Activation activation) {
    TextClassifier copy = copy();
    copy.activation = Objects.requireNonNull(activation, "activation");
    return copy;
  }

  /** The labels of a text. */
  public List<Classification> classify(String text) {
    return run(this::setUp, new Input(text), TextClassifier::labels);
  }

  /** The labels of a pair of texts. */
  public List<Classification> classify(String first, String second) {
    return run(this::setUp, new Input("first", first, "second", second), TextClassifier::labels);
  }

  /** The labels of texts, in their order. */
  public List<List<Classification>> classify(List<String> texts) {
    return run(this::setUp, inputs(texts), TextClassifier::labels);
  }

  static List<Classification> labels(Call call, int item, Input input) {
    List<Classification> labels = new ArrayList<>();
    for (Result r : call.results(item)) labels.add(new Classification(Utf8.decode(r.label()), r.score()));
    return Collections.unmodifiableList(labels);
  }

  private void setUp(long call) {
    TaskOptions options = new TaskOptions();
    options.topK = topK;
    options.activation = activation;
    options.apply(call, TaskOptions.CLASSIFY);
  }
}
