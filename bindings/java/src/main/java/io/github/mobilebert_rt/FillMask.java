package io.github.mobilebert_rt;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Tokens for the masks of texts. */
public final class FillMask extends Task<FillMask> {
  private int topK;
  private byte[][] targets;

  /** Uses a model with a head for masked words. */
  public FillMask(Model model) {
    super(model);
  }

  /** With this many proposals for a mask; the default is 5. */
  public FillMask withTopK(int topK) {
    FillMask copy = copy();
    copy.topK = Errors.atLeast(1, "topK", topK);
    return copy;
  }

  /** With only these tokens as proposals, spelled as in the vocabulary. */
  public FillMask withTargets(List<String> tokens) {
    FillMask copy = copy();
    copy.targets = Utf8.names("targets", tokens);
    return copy;
  }

  /** For each mask of a text, as "The [MASK] sleeps.", the proposals, best first. */
  public List<List<Fill>> fill(String text) {
    return run(this::setUp, new Input(text), FillMask::masks);
  }

  private static List<List<Fill>> masks(Call call, int item, Input input) {
    List<List<Fill>> masks = new ArrayList<>();
    for (Result r : call.results(item)) {
      while (masks.size() <= r.group()) masks.add(new ArrayList<>());
      Fill fill = new Fill(Utf8.decode(r.label()), r.id(), r.score(), Utf8.decode(r.text()));
      masks.get((int) r.group()).add(fill);
    }
    masks.replaceAll(Collections::unmodifiableList);
    return Collections.unmodifiableList(masks);
  }

  private void setUp(long call) {
    TaskOptions options = new TaskOptions();
    options.topK = topK;
    options.targets = targets;
    options.apply(call, TaskOptions.FILL);
  }
}
