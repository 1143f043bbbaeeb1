package io.github.mobilebert_rt;

/** mbrt_task_options. 0 and null are default values. */
final class TaskOptions {
  static final int CLASSIFY = 1;
  static final int TAG = 2;
  static final int ANSWER = 3;
  static final int FILL = 4;
  static final int ZERO_SHOT = 5;
  static final int RANK = 6;

  int topK;
  int maxAnswerTokens;
  Activation activation = Activation.DEFAULT;
  Aggregation aggregation = Aggregation.DEFAULT;
  boolean allowNoAnswer;
  boolean allowPartWords;
  float nullThreshold;
  boolean multiLabel;
  byte[] hypothesisTemplate;
  byte[][] labels;
  byte[][] targets;

  void apply(long call, int task) {
    Native.setTask(
        call,
        task,
        topK,
        maxAnswerTokens,
        activation.ordinal(),
        aggregation.ordinal(),
        allowNoAnswer,
        allowPartWords,
        nullThreshold,
        multiLabel,
        hypothesisTemplate,
        labels,
        targets);
  }
}
