// The best answer spans of one question, over all windows of its context.
#ifndef MBRT_TASKS_SPANS_H_
#define MBRT_TASKS_SPANS_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "tasks/question_answerer.h"
#include "tasks/windows.h"

namespace mbrt {

// A window and the logits of its context tokens; null: start plus end logit of [CLS].
struct ScoredWindow {
  const Window* window;
  std::vector<double> start;
  std::vector<double> end;
  double null;
};

// The n_best spans of at most max_answer_length tokens, best first, no two with the same bytes.
//
// A span's logit is that of its start plus that of its end. Each start counts only in the window
// that shows most of its context, so no span is counted twice, and the scores (softmax over
// every allowed span) add up to 1. "No answer" is a span whose logit is the minimum of the windows'
// [CLS] logits minus null_threshold, when wanted.allow_no_answer. whole_words: widen a span to whole
// words. Logits that are not finite are no spans.
std::vector<Answer> best_spans(std::span<const ScoredWindow> windows, const AnswerOptions& wanted,
                               bool whole_words);

}  // namespace mbrt

#endif  // MBRT_TASKS_SPANS_H_
