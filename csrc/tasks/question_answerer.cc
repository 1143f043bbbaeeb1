#include "tasks/question_answerer.h"

#include <algorithm>

#include "base/error.h"
#include "tasks/batching.h"
#include "tasks/spans.h"

namespace mbrt {
namespace {

// As SQuAD is read.
Limits defaults_of(const TextModel& model, const TaskOptions& options) {
  constexpr std::size_t kTokens = 384, kStride = 128;
  const std::size_t longest = std::min(kTokens, model.max_tokens());
  return {.max_length = longest,
          .on_overflow = OnOverflow::kStride,
          .stride = std::min(kStride, options.max_length.value_or(longest) / 2),
          .min_new = 16};
}

void check(const AnswerOptions& wanted) {
  if (wanted.n_best < 1) throw InputError("n_best: found 0; expected at least 1.");
  if (wanted.max_answer_length < 1) {
    throw InputError("max_answer_length: found 0; expected at least 1.");
  }
}

ScoredWindow scored(const Window& window, const OutputRows& rows) {
  const Range context = window.part(1);
  ScoredWindow part{&window, {}, {}};
  const auto add = [&](std::size_t token) {
    part.start.push_back(static_cast<double>(rows.row(token)[0]));
    part.end.push_back(static_cast<double>(rows.row(token)[1]));
  };
  add(0);
  for (std::size_t token = context.begin; token < context.end; ++token) add(token);
  return part;
}

}  // namespace

QuestionAnswerer::QuestionAnswerer(const std::shared_ptr<const TextModel>& model,
                                   const QuestionAnswererOptions& options)
    : Task(model, "A question answerer", {Head::kQuestionAnswering}, options,
           defaults_of(*model, options)),
      whole_words_(options.whole_words) {}

std::vector<std::vector<Answer>> QuestionAnswerer::answer(const std::vector<Text>& pairs,
                                                          const AnswerOptions& wanted,
                                                          const RunOptions& run) const {
  check(wanted);
  check_pairs(pairs, run.first_index, "question and context");
  std::vector<std::vector<Answer>> answers(pairs.size());
  for (const Range& group : text_groups(pairs, max_batch_tokens())) {
    const std::vector<Window> windows =
        encode_windows(model().tokenizer(), pairs, group, limits(), run, true);
    std::vector<ScoredWindow> parts(windows.size());
    run_windows(
        *this, windows, Wanted::kTokenLogits, run,
        [&](std::size_t i, const OutputRows& rows) { parts[i] = scored(windows[i], rows); });
    for (const Range& own : groups_of(windows)) {
      const std::size_t index = windows[own.begin].index;
      answers[index] =
          best_answers({&parts[own.begin], own.size()}, *pairs[index].second, wanted, whole_words_);
    }
  }
  return answers;
}

}  // namespace mbrt
