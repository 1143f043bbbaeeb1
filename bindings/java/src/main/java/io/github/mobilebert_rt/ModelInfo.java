package io.github.mobilebert_rt;

import java.util.List;

/**
 * What a model is.
 *
 * @param precision of the weights
 * @param head what the model predicts
 * @param hasTokenizer whether it reads texts; every task needs that
 * @param vocabularySize token ids are 0 .. vocabularySize - 1
 * @param hiddenSize the width of its hidden states
 * @param embeddingSize the length of a vector of {@link TextEmbedder}
 * @param layers encoder layers
 * @param heads attention heads of a layer
 * @param maxTokens the most tokens of a sequence, special tokens included
 * @param fileBytes the size of the model file
 * @param workspaceBytes the memory of idle workspaces; see {@link Model#trim()}
 * @param isa the kernel set
 * @param labels the names of a classification head's outputs
 */
public record ModelInfo(
    Precision precision,
    Head head,
    boolean hasTokenizer,
    int vocabularySize,
    int hiddenSize,
    int embeddingSize,
    int layers,
    int heads,
    int maxTokens,
    long fileBytes,
    long workspaceBytes,
    String isa,
    List<String> labels) {
  /** The format of the weights. */
  public enum Precision {
    FP32,
    INT8
  }

  /** What a model predicts. */
  public enum Head {
    NONE,
    MASKED_LM,
    PRETRAINING,
    NEXT_SENTENCE,
    SEQUENCE_CLASSIFICATION,
    TOKEN_CLASSIFICATION,
    QUESTION_ANSWERING,
    MULTIPLE_CHOICE
  }

  static final int LABELS = 9; // the place of the number of labels

  /** From the numbers of the native method. */
  static ModelInfo of(long[] v, String isa, List<String> labels) {
    return new ModelInfo(
        Precision.values()[(int) v[0]],
        Head.values()[(int) v[1]],
        v[2] != 0,
        (int) v[3],
        (int) v[4],
        (int) v[5],
        (int) v[6],
        (int) v[7],
        (int) v[8],
        v[10],
        v[11],
        isa,
        labels);
  }
}
