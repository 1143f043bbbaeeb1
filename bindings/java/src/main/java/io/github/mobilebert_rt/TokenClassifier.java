package io.github.mobilebert_rt;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;

/** Entities in texts, with their positions. */
public final class TokenClassifier extends Task<TokenClassifier> {
  private Aggregation aggregation = Aggregation.DEFAULT;

  /** Uses a model with a head for token classification. */
  public TokenClassifier(Model model) {
    super(model);
  }

  /** With this way from labelled tokens to entities. */
  public TokenClassifier withAggregation(Aggregation aggregation) {
    TokenClassifier copy = copy();
    copy.aggregation = Objects.requireNonNull(aggregation, "aggregation");
    return copy;
  }

  /** The entities of a text, in its order. */
  public List<Entity> tag(String text) {
    return run(this::setUp, new Input(text), TokenClassifier::entities);
  }

  /** The entities of texts, in their order. */
  public List<List<Entity>> tag(List<String> texts) {
    return run(this::setUp, inputs(texts), TokenClassifier::entities);
  }

  private static List<Entity> entities(Call call, int item, Input input) {
    List<Entity> entities = new ArrayList<>();
    int[] units = Utf8.units(input.bytes);
    for (Result r : call.results(item)) {
      int start = units[(int) r.begin()];
      int end = units[(int) r.end()];
      entities.add(new Entity(input.text.substring(start, end), Utf8.decode(r.label()), r.score(), start, end));
    }
    return Collections.unmodifiableList(entities);
  }

  private void setUp(long call) {
    TaskOptions options = new TaskOptions();
    options.aggregation = aggregation;
    options.apply(call, TaskOptions.TAG);
  }
}
