// Spans of a context that answer a question, as in SQuAD.
#ifndef MBRT_TASKS_QUESTION_ANSWERER_H_
#define MBRT_TASKS_QUESTION_ANSWERER_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "tasks/task.h"

namespace mbrt {

// A context of any length is read in windows of max_length tokens, question included, of which
// neighbours share `stride` tokens. The defaults are in question_answerer.cc, max_length at most the
// model's own limit.
// whole_words: never answer with part of a word.
struct QuestionAnswererOptions : TaskOptions {
  bool whole_words = true;
};

struct AnswerOptions {
  std::size_t n_best = 1;              // answers for each question, at least 1
  std::size_t max_answer_length = 30;  // tokens, at least 1
  // An empty answer stands for "not in the context" (SQuAD 2.0); it must beat an answer's logit by
  // null_threshold.
  bool allow_no_answer = false;
  double null_threshold = 0.0;
};

// Bytes [start, end) of the context; start == end says that the context holds no answer. score:
// probability among all spans that were allowed, over all windows of the context.
struct Answer {
  float score;
  std::size_t start;
  std::size_t end;
};

class QuestionAnswerer : public Task {
 public:
  explicit QuestionAnswerer(const std::shared_ptr<const TextModel>& model,
                            const QuestionAnswererOptions& options = {});

  // For each pair (question, context) its answers, best first; none for an empty context.
  // InputError for a text that is not a pair and for a question that leaves no tokens for context.
  std::vector<std::vector<Answer>> answer(const std::vector<Text>& pairs,
                                          const AnswerOptions& wanted = {},
                                          const RunOptions& run = {}) const;
  bool whole_words() const { return whole_words_; }

 private:
  bool whole_words_;
};

}  // namespace mbrt

#endif  // MBRT_TASKS_QUESTION_ANSWERER_H_
