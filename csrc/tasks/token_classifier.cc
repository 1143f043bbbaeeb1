#include "tasks/token_classifier.h"

#include <utility>

#include "tasks/batching.h"
#include "tasks/numeric.h"

namespace mbrt {
namespace {

using Logits = std::vector<float>;  // [tokens][labels] of a window, without its special tokens

// The tokens of one text, each from the window that shows it with the most context.
Tokens stitch(const std::vector<Window>& windows, const std::vector<Logits>& logits, Range group,
              std::size_t labels) {
  const std::vector<Range> owned = own_tokens({&windows[group.begin], group.size()}, 0);
  Tokens tokens;
  tokens.labels = labels;
  for (std::size_t i = group.begin; i < group.end; ++i) {
    const Window& window = windows[i];
    const std::size_t start = window.part(0).begin;
    const Range own = owned[i - group.begin];
    for (std::size_t token = own.begin - window.first; token < own.end - window.first; ++token) {
      tokens.scores.resize(tokens.scores.size() + labels);
      softmax(logits[i].data() + token * labels, labels,
              tokens.scores.data() + tokens.scores.size() - labels);
      const text::Encoding& encoding = window.encoding;
      tokens.offsets.emplace_back(encoding.begin[start + token], encoding.end[start + token]);
      tokens.words.push_back(encoding.word[start + token]);
    }
  }
  return tokens;
}

}  // namespace

TokenClassifier::TokenClassifier(const std::shared_ptr<const TextModel>& model,
                                 const TokenClassifierOptions& options)
    : Task(model, "A token classifier", {Head::kTokenClassification}, options,
           {model->config().max_positions}),
      aggregation_(options.aggregation),
      ignored_(options.ignore_labels) {}

std::vector<std::vector<Entity>> TokenClassifier::tag(
    const std::vector<Text>& texts, const RunOptions& run,
    std::optional<Aggregation> aggregation) const {
  check_single(texts, run.first_index);
  const std::size_t labels = model().config().num_labels;
  std::vector<std::vector<Entity>> entities(texts.size());
  for (const Range& group : text_groups(texts, max_batch_tokens())) {
    const std::vector<Window> windows =
        encode_windows(model().tokenizer(), texts, group, limits(), run, true);
    std::vector<Logits> logits(windows.size());
    run_windows(*this, windows, Wanted::kTokenLogits, run,
                [&](std::size_t i, const OutputRows& rows) {
                  const Range part = windows[i].part(0);
                  for (std::size_t token = part.begin; token < part.end; ++token) {
                    const float* const row = rows.row(token);
                    logits[i].insert(logits[i].end(), row, row + labels);
                  }
                });
    for (const Range& own : groups_of(windows)) {
      entities[windows[own.begin].index] =
          entities_of(stitch(windows, logits, own, labels), model().labels(), ignored_,
                      aggregation.value_or(aggregation_));
    }
  }
  return entities;
}

}  // namespace mbrt
