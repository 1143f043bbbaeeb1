// The tasks of mobilebert_rt.h, done by csrc/tasks.
#include <utility>

#include "base/error.h"
#include "capi/call.h"
#include "tasks/classifier.h"
#include "tasks/fill_mask.h"
#include "tasks/question_answerer.h"
#include "tasks/token_classifier.h"

namespace mbrt::capi {
namespace {

std::string part_of(std::string_view text, std::size_t begin, std::size_t end) {
  return std::string(text.substr(begin, end - begin));
}

// In the order of mbrt_activation and mbrt_aggregation.
constexpr std::optional<ScoreKind> kScoreKinds[] = {std::nullopt, ScoreKind::kSoftmax,
                                                    ScoreKind::kSigmoid, ScoreKind::kNone};
constexpr Aggregation kAggregations[] = {Aggregation::kSimple, Aggregation::kNone,
                                         Aggregation::kSimple, Aggregation::kFirst,
                                         Aggregation::kMax,    Aggregation::kAverage};

Classifier make_classifier(const Model& model, const mbrt_task_options& options,
                           const TaskOptions& limits) {
  return Classifier(model.text(), {limits, choice(kScoreKinds, options.activation, "activation")});
}

TokenClassifier make_tagger(const Model& model, const mbrt_task_options& options,
                            const TaskOptions& limits) {
  return TokenClassifier(model.text(),
                         {limits, choice(kAggregations, options.aggregation, "aggregation")});
}

QuestionAnswerer make_answerer(const Model& model, const mbrt_task_options& options,
                               const TaskOptions& limits) {
  return QuestionAnswerer(model.text(), {limits, options.allow_part_words == 0});
}

using AllFound = std::vector<std::vector<Found>>;

AllFound classify(const Classifier& task, std::size_t top_k, const std::vector<Text>& texts,
                  const RunOptions& run) {
  AllFound all;
  for (std::vector<Classification>& labels : task.classify(texts, top_k, run)) {
    std::vector<Found>& found = all.emplace_back();
    for (Classification& c : labels) {
      found.push_back(
          {std::move(c.label), "", 0, 0, 0, static_cast<std::int32_t>(c.index), c.score});
    }
  }
  return all;
}

AllFound tag(const TokenClassifier& task, const std::vector<Text>& texts, const RunOptions& run) {
  AllFound all;
  for (std::vector<Entity>& entities : task.tag(texts, run)) {
    const std::string_view text = texts[all.size()].first;
    std::vector<Found>& found = all.emplace_back();
    for (Entity& e : entities) {
      found.push_back(
          {std::move(e.label), part_of(text, e.start, e.end), e.start, e.end, 0, -1, e.score});
    }
  }
  return all;
}

AllFound answer(const QuestionAnswerer& task, const mbrt_task_options& options,
                const std::vector<Text>& pairs, const RunOptions& run) {
  AnswerOptions wanted;
  if (options.top_k != 0) wanted.n_best = options.top_k;
  if (options.max_answer_tokens != 0) wanted.max_answer_length = options.max_answer_tokens;
  wanted.allow_no_answer = options.allow_no_answer != 0;
  wanted.null_threshold = static_cast<double>(options.null_threshold);
  AllFound all;
  for (const std::vector<Answer>& answers : task.answer(pairs, wanted, run)) {
    const std::string_view context = pairs[all.size()].second.value_or("");
    std::vector<Found>& found = all.emplace_back();
    for (const Answer& a : answers) {
      found.push_back({"", part_of(context, a.start, a.end), a.start, a.end, 0, -1, a.score});
    }
  }
  return all;
}

AllFound fill(const FillMask& task, std::size_t top_k, const std::vector<Text>& texts,
              const RunOptions& run) {
  AllFound all;
  for (std::vector<std::vector<Fill>>& masks :
       task.fill(texts, top_k == 0 ? FillMask::kDefaultTopK : top_k, run)) {
    std::vector<Found>& found = all.emplace_back();
    for (std::size_t mask = 0; mask < masks.size(); ++mask) {
      for (Fill& f : masks[mask]) {
        found.push_back(
            {std::move(f.token), std::move(f.sequence), 0, 0, mask, f.token_id, f.score});
      }
    }
  }
  return all;
}

}  // namespace

void check_task(const Model& model, mbrt_task task, const mbrt_task_options& options) {
  switch (task) {
    case MBRT_TASK_NONE:
      break;
    case MBRT_TASK_CLASSIFY:
      make_classifier(model, options, {});
      break;
    case MBRT_TASK_TAG:
      make_tagger(model, options, {});
      break;
    case MBRT_TASK_ANSWER:
      make_answerer(model, options, {});
      break;
    case MBRT_TASK_FILL:
      FillMask(model.text(), {});
      break;
    default:
      fail_range("task", static_cast<std::size_t>(task), 0, MBRT_TASK_FILL);
  }
}

AllFound run_task(const Model& model, const Settings& settings, const std::vector<Text>& texts,
                  const RunOptions& run) {
  const mbrt_task_options& options = settings.task_options;
  const TaskOptions limits = limits_of(settings);
  switch (settings.task) {
    case MBRT_TASK_CLASSIFY:
      return classify(make_classifier(model, options, limits), options.top_k, texts, run);
    case MBRT_TASK_TAG:
      return tag(make_tagger(model, options, limits), texts, run);
    case MBRT_TASK_ANSWER:
      return answer(make_answerer(model, options, limits), options, texts, run);
    default:
      return fill(FillMask(model.text(), limits), options.top_k, texts, run);
  }
}

}  // namespace mbrt::capi
