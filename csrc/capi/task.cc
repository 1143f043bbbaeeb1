// The tasks of mobilebert_rt.h, done by csrc/tasks.
#include <utility>

#include "base/error.h"
#include "capi/call.h"
#include "tasks/classifier.h"
#include "tasks/fill_mask.h"
#include "tasks/question_answerer.h"
#include "tasks/reranker.h"
#include "tasks/token_classifier.h"
#include "tasks/zero_shot.h"

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

std::vector<std::string> strings_of(const char* const* texts, std::size_t count, const char* name) {
  if (count > 0) require(texts, name);
  std::vector<std::string> strings;
  for (std::size_t i = 0; i < count; ++i) {
    require(texts[i], name);
    strings.emplace_back(texts[i]);
  }
  return strings;
}

ClassifierOptions classifier_options(const mbrt_task_options& options, const TaskOptions& limits) {
  return {limits, choice(kScoreKinds, options.activation, "activation")};
}

using AllFound = std::vector<std::vector<Found>>;

AllFound found_labels(std::vector<std::vector<Classification>> classified, std::size_t top_k) {
  AllFound all;
  for (std::vector<Classification>& labels : classified) {
    if (top_k != 0 && labels.size() > top_k) labels.resize(top_k);
    std::vector<Found>& found = all.emplace_back();
    for (Classification& c : labels) {
      found.push_back(
          {std::move(c.label), "", 0, 0, 0, static_cast<std::int32_t>(c.index), c.score});
    }
  }
  return all;
}

AllFound rank(const Reranker& task, std::size_t top_k, const std::vector<Text>& pairs,
              const RunOptions& run) {
  AllFound all(pairs.size());
  std::int32_t place = 0;
  for (const Ranked& found : ranked(task.scores(pairs, run), top_k)) {
    all[found.index].push_back({"", "", 0, 0, 0, place++, found.score});
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

AllFound fill(const FillMask& task, const TaskSettings& settings, const std::vector<Text>& texts,
              const RunOptions& run) {
  const std::size_t top_k = settings.options.top_k;
  std::optional<std::vector<std::int32_t>> targets;
  if (!settings.targets.empty()) targets = task.target_ids(settings.targets);
  AllFound all;
  for (std::vector<std::vector<Fill>>& masks :
       task.fill(texts, top_k == 0 ? FillMask::kDefaultTopK : top_k, run, targets)) {
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

TaskSettings task_settings(const Model& model, mbrt_task task, const mbrt_task_options& options) {
  TaskSettings settings{.task = task, .options = options, .zero_shot = {}, .targets = {}};
  settings.zero_shot.labels =
      strings_of(options.candidate_labels, options.num_candidate_labels, "candidate_labels");
  if (options.hypothesis_template != nullptr) {
    settings.zero_shot.hypothesis_template = options.hypothesis_template;
  }
  settings.zero_shot.multi_label = options.multi_label != 0;
  settings.targets = strings_of(options.targets, options.num_targets, "targets");
  // The caller's strings need not outlive this call.
  settings.options.hypothesis_template = nullptr;
  settings.options.candidate_labels = settings.options.targets = nullptr;
  if (task != MBRT_TASK_NONE) run_task(model, settings, {}, {}, {});  // throws for wrong options
  return settings;
}

AllFound run_task(const Model& model, const TaskSettings& settings, const TaskOptions& limits,
                  const std::vector<Text>& texts, const RunOptions& run) {
  const mbrt_task_options& options = settings.options;
  switch (settings.task) {
    case MBRT_TASK_CLASSIFY: {
      const Classifier task(model.text(), classifier_options(options, limits));
      return found_labels(task.classify(texts, options.top_k, run), options.top_k);
    }
    case MBRT_TASK_TAG:
      return tag(TokenClassifier(model.text(), {limits, choice(kAggregations, options.aggregation,
                                                               "aggregation")}),
                 texts, run);
    case MBRT_TASK_ANSWER:
      return answer(QuestionAnswerer(model.text(), {limits, options.allow_part_words == 0}),
                    options, texts, run);
    case MBRT_TASK_FILL:
      return fill(FillMask(model.text(), limits), settings, texts, run);
    case MBRT_TASK_ZERO_SHOT: {
      const ZeroShotClassifier task(model.text(), limits);
      return found_labels(task.classify(texts, settings.zero_shot, run), options.top_k);
    }
    case MBRT_TASK_RANK:
      return rank(Reranker(model.text(), classifier_options(options, limits)), options.top_k, texts,
                  run);
    default:
      fail_range("task", static_cast<std::size_t>(settings.task), 0, MBRT_TASK_RANK);
  }
}

}  // namespace mbrt::capi
