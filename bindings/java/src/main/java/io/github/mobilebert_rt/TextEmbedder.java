package io.github.mobilebert_rt;

import java.util.List;

/** Vectors of texts, float32 [{@link ModelInfo#embeddingSize()}]. */
public final class TextEmbedder extends Task<TextEmbedder> {
  private byte[] prompt;
  private byte[] promptName;
  private int truncateDim;
  private int normalize; // mbrt_normalize

  /** Uses a model of sentence vectors; of other encoders, the mean over all tokens. */
  public TextEmbedder(Model model) {
    super(model);
  }

  /** With a prompt before each text. */
  public TextEmbedder withPrompt(String prompt) {
    TextEmbedder copy = copy();
    copy.prompt = Utf8.name("prompt", prompt);
    return copy;
  }

  /** With one of the model's prompts. */
  public TextEmbedder withPromptName(String name) {
    TextEmbedder copy = copy();
    copy.promptName = Utf8.name("promptName", name);
    return copy;
  }

  /** With only the first dimensions. */
  public TextEmbedder withTruncateDim(int dimensions) {
    TextEmbedder copy = copy();
    copy.truncateDim = Errors.atLeast(1, "truncateDim", dimensions);
    return copy;
  }

  /** With vectors of length 1 or not; the default is as the model says. */
  public TextEmbedder withNormalize(boolean normalize) {
    TextEmbedder copy = copy();
    copy.normalize = normalize ? 1 : 2;
    return copy;
  }

  /** The vector of a text. */
  public float[] embed(String text) {
    return run(this::setUp, new Input(text), TextEmbedder::vector);
  }

  /** The vectors of texts, in their order. */
  public float[][] embed(List<String> texts) {
    return run(this::setUp, inputs(texts), TextEmbedder::vector).toArray(new float[0][]);
  }

  private static float[] vector(Call call, int item, Input input) {
    return call.embedding(item);
  }

  private void setUp(long call) {
    Native.setEmbedding(call, prompt, promptName, truncateDim, normalize);
  }
}
