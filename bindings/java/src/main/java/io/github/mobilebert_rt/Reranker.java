package io.github.mobilebert_rt;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;

/** The order of documents by relevance to a query. */
public final class Reranker extends Task<Reranker> {
  private int topK;
  private Activation activation = Activation.DEFAULT;

  /** Uses a cross-encoder: a model for sequence classification with one label. */
  public Reranker(Model model) {
    super(model);
  }

  /** With the best documents only. */
  public Reranker withTopK(int topK) {
    Reranker copy = copy();
    copy.topK = Errors.atLeast(1, "topK", topK);
    return copy;
  }

  /** With this function of the head's output as the score. */
  public Reranker withActivation(Activation activation) {
    Reranker copy = copy();
    copy.activation = Objects.requireNonNull(activation, "activation");
    return copy;
  }

  /** The documents, best first. */
  public List<RankedDocument> rank(String query, List<String> documents) {
    List<Input> pairs = new ArrayList<>(documents.size());
    for (String text : documents) pairs.add(new Input("query", query, "documents[" + pairs.size() + "]", text));
    RankedDocument[] places = new RankedDocument[pairs.size()];
    List<Integer> found = run(this::setUp, pairs, (call, item, input) -> {
      Result[] results = call.results(item);
      for (Result r : results) places[r.id()] = new RankedDocument(item, r.score(), input.text);
      return results.length;
    });
    List<RankedDocument> ranked = new ArrayList<>();
    for (int i = 0; i < found.size() && places[i] != null; ++i) ranked.add(places[i]);
    return Collections.unmodifiableList(ranked);
  }

  private void setUp(long call) {
    TaskOptions options = new TaskOptions();
    options.topK = topK;
    options.activation = activation;
    options.apply(call, TaskOptions.RANK);
  }
}
