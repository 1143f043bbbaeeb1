package io.github.mobilebert_rt;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Answers to questions, as spans of a context. */
public final class QuestionAnswerer extends Task<QuestionAnswerer> {
  private int topK;
  private int maxAnswerTokens;
  private boolean allowNoAnswer;
  private boolean allowPartWords;
  private float nullThreshold;

  /** Uses a model with a head for question answering. */
  public QuestionAnswerer(Model model) {
    super(model);
  }

  /** With this many answers; the default is 1. */
  public QuestionAnswerer withTopK(int topK) {
    QuestionAnswerer copy = copy();
    copy.topK = Errors.atLeast(1, "topK", topK);
    return copy;
  }

  /** With answers of at most this many tokens; the default is 15. */
  public QuestionAnswerer withMaxAnswerTokens(int tokens) {
    QuestionAnswerer copy = copy();
    copy.maxAnswerTokens = Errors.atLeast(1, "maxAnswerTokens", tokens);
    return copy;
  }

  /** With an empty text as an answer, which says that the context holds none. */
  public QuestionAnswerer withNoAnswerAllowed(boolean allow) {
    QuestionAnswerer copy = copy();
    copy.allowNoAnswer = allow;
    return copy;
  }

  /** With answers that may start or end inside a word. */
  public QuestionAnswerer withPartWordsAllowed(boolean allow) {
    QuestionAnswerer copy = copy();
    copy.allowPartWords = allow;
    return copy;
  }

  /** With "no answer" first when log(its score / the answer's) exceeds the threshold; the default is 0. */
  public QuestionAnswerer withNullThreshold(float threshold) {
    QuestionAnswerer copy = copy();
    copy.nullThreshold = threshold;
    return copy;
  }

  /** The answers, best first. */
  public List<Answer> answer(String question, String context) {
    return run(this::setUp, new Input("question", question, "context", context), QuestionAnswerer::answers);
  }

  private static List<Answer> answers(Call call, int item, Input input) {
    List<Answer> answers = new ArrayList<>();
    int[] units = Utf8.units(input.bytes);
    for (Result r : call.results(item)) {
      int start = units[(int) r.begin()];
      int end = units[(int) r.end()];
      answers.add(new Answer(input.text.substring(start, end), r.score(), start, end));
    }
    return Collections.unmodifiableList(answers);
  }

  private void setUp(long call) {
    TaskOptions options = new TaskOptions();
    options.topK = topK;
    options.maxAnswerTokens = maxAnswerTokens;
    options.allowNoAnswer = allowNoAnswer;
    options.allowPartWords = allowPartWords;
    options.nullThreshold = nullThreshold;
    options.apply(call, TaskOptions.ANSWER);
  }
}
