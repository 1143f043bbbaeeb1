#include "tasks/zero_shot.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "tasks/numeric.h"
#include "text/characters.h"

namespace mbrt {
namespace {

bool begins_with_entail(std::string_view label) {
  constexpr std::string_view kEntail = "entail";
  return label.size() >= kEntail.size() &&
         std::equal(kEntail.begin(), kEntail.end(), label.begin(),
                    [](char lower, char c) { return c == lower || c == lower - 'a' + 'A'; });
}

std::size_t entailment_of(const TextModel& model) {
  const std::vector<std::string>& labels = model.labels();
  const auto found = std::find_if(labels.begin(), labels.end(), begins_with_entail);
  if (found != labels.end() && labels.size() > 1) {
    return static_cast<std::size_t>(found - labels.begin());
  }
  std::string names;
  for (const std::string& label : labels) names += (names.empty() ? "" : ", ") + label;
  throw UnsupportedModelError(
      model.name() + ": its labels are " + names +
      "; zero-shot classification expects a model for natural language inference, with two or more "
      "labels, one of which begins with \"entail\". If it is such a model, name its labels in "
      "config.json's id2label and convert it again.");
}

[[noreturn]] void refuse_template(const std::string& text, const char* reason) {
  throw InputError("hypothesis_template: found \"" + text + "\", which " + reason +
                   "; expected {} where the label goes. Write {{ and }} for braces.");
}

// The template with the label at each {} or {0}, as Python's str.format has it.
std::string hypothesis(const std::string& text, std::string_view label) {
  std::string filled;
  bool has_label = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (rest.starts_with("{{") || rest.starts_with("}}")) {
      filled += text[i++];
    } else if (rest.starts_with("{}") || rest.starts_with("{0}")) {
      filled += label;
      has_label = true;
      i = text.find('}', i);
    } else if (text[i] == '{' || text[i] == '}') {
      refuse_template(text, "has another brace");
    } else {
      filled += text[i];
    }
  }
  if (!has_label) refuse_template(text, "has no {}");
  return filled;
}

std::vector<Text> all_pairs(const std::vector<Text>& texts,
                            const std::vector<std::string>& hypotheses) {
  std::vector<Text> pairs;
  pairs.reserve(texts.size() * hypotheses.size());
  for (const Text& text : texts) {
    for (const std::string& second : hypotheses) pairs.push_back({text.first, second});
  }
  return pairs;
}

}  // namespace

std::vector<std::string> split_labels(std::string_view text) {
  std::vector<std::string> labels;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view label = text::trimmed(text.substr(0, comma));
    if (!label.empty()) labels.emplace_back(label);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return labels;
}

ZeroShotClassifier::ZeroShotClassifier(const std::shared_ptr<const TextModel>& model,
                                       const TaskOptions& options)
    : Task(model, "A zero-shot classifier", {Head::kSequenceClassification}, options,
           {.max_length = model->max_tokens(),
            .on_overflow = OnOverflow::kTruncate,
            .keeps_second = true}),
      entailment_(entailment_of(*model)),
      contradiction_(entailment_ == 0 ? model->labels().size() - 1 : 0) {}

std::vector<float> ZeroShotClassifier::scores(const double* logits,
                                              const ZeroShotOptions& wanted) const {
  const std::size_t count = wanted.labels.size(), width = model().labels().size();
  std::vector<float> scores(count);
  if (wanted.multi_label || count == 1) {
    for (std::size_t i = 0; i < count; ++i) {
      const double* const row = logits + i * width;
      scores[i] = static_cast<float>(sigmoid(row[entailment_] - row[contradiction_]));
    }
    return scores;
  }
  std::vector<double> entailment;
  for (std::size_t i = 0; i < count; ++i) entailment.push_back(logits[i * width + entailment_]);
  softmax(entailment.data(), count, scores.data());
  return scores;
}

std::vector<std::vector<Classification>> ZeroShotClassifier::classify(
    const std::vector<Text>& texts, const ZeroShotOptions& wanted, const RunOptions& run) const {
  const std::size_t count = wanted.labels.size(), width = model().labels().size();
  if (count == 0) throw InputError("candidate_labels: found none; expected at least one.");
  check_single(texts, run.first_index);
  std::vector<std::string> hypotheses;
  for (const std::string& label : wanted.labels) {
    hypotheses.push_back(hypothesis(wanted.hypothesis_template, label));
  }
  const std::vector<Text> pairs = all_pairs(texts, hypotheses);
  RunOptions run_pairs = run;
  run_pairs.texts_per_input = count;
  std::size_t done = 0;
  if (run.progress) {
    run_pairs.progress = [&](std::size_t more) {
      const std::size_t before = done / count;
      done += more;
      run.progress(done / count - before);
    };
  }
  std::optional<std::size_t> reported;  // the last text whose truncation was reported
  if (run.truncated) {
    run_pairs.truncated = [&](std::size_t index, std::size_t tokens) {
      if (reported != index) run.truncated(index, tokens);
      reported = index;
    };
  }
  const std::vector<double> logits = sequence_logits(*this, pairs, run_pairs);
  std::vector<std::vector<Classification>> ranked(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<float> found = scores(logits.data() + i * count * width, wanted);
    for (const std::size_t label : best_indices(found.data(), count, 0)) {
      ranked[i].push_back({label, wanted.labels[label], found[label]});
    }
  }
  return ranked;
}

}  // namespace mbrt
