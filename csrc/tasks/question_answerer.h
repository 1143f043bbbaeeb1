// Spans of a context that answer a question, as in SQuAD.
#ifndef MBRT_TASKS_QUESTION_ANSWERER_H_
#define MBRT_TASKS_QUESTION_ANSWERER_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "tasks/task.h"

namespace mbrt {

// A context of any length is read in windows of max_length tokens, question included, of which
// neighbours share `stride` tokens. The defaults are 384, or the model's limit when that is less, and
// 128, at most half of max_length.
// whole_words: never answer with part of a word.
struct QuestionAnswererOptions : TaskOptions {
  bool whole_words = true;
};

struct AnswerOptions {
  std::size_t n_best = 1;              // answers for each question, at least 1
  std::size_t max_answer_length = 15;  // tokens, at least 1
  // An empty answer stands for "not in the context" (SQuAD 2.0). It is better than an answer when
  // log(its score / the answer's score) > null_threshold.
  bool allow_no_answer = false;
  double null_threshold = 0.0;
};

// Bytes [start, end) of the context; start == end says that the context holds no answer. score: the
// probability of its start times that of its end, in one window; added up over all spans that give the
// same text, of all windows, so that it can exceed 1. See best_answers in spans.h.
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
