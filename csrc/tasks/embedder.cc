#include "tasks/embedder.h"

#include <algorithm>

#include "tasks/numeric.h"

namespace mbrt {
namespace {

// The vector of one text from those of its windows, weighted by their tokens.
std::vector<double> merge(const std::vector<Window>& windows,
                          const std::vector<std::vector<double>>& pooled, Range group) {
  if (group.size() == 1) return pooled[group.begin];
  const std::size_t width = pooled[group.begin].size();
  std::vector<double> rows;
  std::size_t tokens = 0;
  for (std::size_t i = group.begin; i < group.end; ++i) {
    for (const double value : pooled[i]) {
      rows.push_back(value * static_cast<double>(windows[i].size()));
    }
    tokens += windows[i].size();
  }
  fold_sum(rows.data(), group.size(), width);
  rows.resize(width);
  for (double& value : rows) value /= static_cast<double>(tokens);
  return rows;
}

}  // namespace

std::string prompt_of(const SentenceConfig& sentence, const EmbedderOptions& options) {
  if (options.prompt) return *options.prompt;
  if (options.prompt_name) return sentence.prompt(*options.prompt_name);
  return sentence.default_text();
}

std::size_t prompt_tokens(const text::Tokenizer& tokenizer, const std::string& prompt,
                          std::size_t max_length) {
  const text::Encoding encoding = tokenizer.encode({prompt, {}}, false);
  const std::size_t size = std::min(encoding.size(), max_length);
  const bool ends_special = !encoding.part.empty() && encoding.part.back() == -1;
  return size == 0 || !ends_special ? size : size - 1;
}

Limits Embedder::default_limits(const TextModel& model) {
  return {.max_length = model.max_tokens(), .on_overflow = OnOverflow::kTruncate};
}

Embedder::Embedder(const std::shared_ptr<const TextModel>& model, const EmbedderOptions& options)
    : Task(model, "An embedder", {}, options, default_limits(*model),
           prompt_of(model->sentence(), options)),
      head_(model->encoder(), options) {
  if (!prompt().empty() && !model->sentence().pooling.include_prompt) {
    unpooled_ = prompt_tokens(model->tokenizer(), prompt(), limits().max_length);
  }
}

// Every window of a pair has the prompt, which is before its first text; of a text, the first window
// has it, and others may begin inside it, behind [CLS].
std::size_t Embedder::unpooled_in(const Window& window, const std::vector<Text>& texts) const {
  if (texts[window.index].second || window.first == 0) return unpooled_;
  return window.first + 1 < unpooled_ ? unpooled_ - window.first : 0;
}

std::vector<float> Embedder::embed(const std::vector<Text>& texts, const RunOptions& run) const {
  const std::size_t width = dimension();
  std::vector<float> vectors(texts.size() * width);
  for (const Range& group : text_groups(texts, max_batch_tokens())) {
    const std::vector<Window> windows = encode(texts, group, run);
    std::vector<std::vector<double>> pooled(windows.size());
    run_windows(*this, windows, Wanted::kHidden, run, [&](std::size_t i, const OutputRows& states) {
      pooled[i] = head_.pool(states, windows[i].size(), unpooled_in(windows[i], texts));
    });
    for (const Range& own : groups_of(windows)) {
      head_.finish(merge(windows, pooled, own), vectors.data() + windows[own.begin].index * width);
    }
  }
  return vectors;
}

}  // namespace mbrt
