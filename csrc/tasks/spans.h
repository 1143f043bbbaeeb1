// The best answers to one question, over all windows of its context.
#ifndef MBRT_TASKS_SPANS_H_
#define MBRT_TASKS_SPANS_H_

#include <span>
#include <string_view>
#include <vector>

#include "tasks/question_answerer.h"
#include "tasks/windows.h"

namespace mbrt {

// A window and logits of its tokens: those of [CLS], then those of the context.
struct ScoredWindow {
  const Window* window;
  std::vector<double> start;
  std::vector<double> end;
};

// The n_best answers, best first, as the question answering pipeline of transformers 4.57 has them:
//
//   start, end = softmax over [CLS] and the context tokens of a window
//   score of a span = start[first] * end[last]      first <= last < first + max_answer_length
//   score of no answer = min over windows of start[CLS] * end[CLS]
//
// The best spans of every window become answers: 2 * n_best + 10 spans widened to whole words, or n_best
// as they are. Answers with the same text, in any case, are one answer with the sum of their scores, at the
// place of the first. Of equal scores the first in the text is better. Windows whose logits are not
// finite have no answers.
std::vector<Answer> best_answers(std::span<const ScoredWindow> windows, std::string_view context,
                                 const AnswerOptions& wanted, bool whole_words);

}  // namespace mbrt

#endif  // MBRT_TASKS_SPANS_H_
