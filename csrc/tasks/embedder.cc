#include "tasks/embedder.h"

#include <algorithm>

#include "tasks/numeric.h"

namespace mbrt {
namespace {

// The vector of one text from those of its windows, weighted by their tokens.
std::vector<double> merge(const std::vector<Window>& windows,
                          const std::vector<std::vector<double>>& pooled, Range group,
                          std::size_t width) {
  if (group.size() == 1) return pooled[group.begin];
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

// A block of columns at a time, so that the rows in double stay in the first-level cache.
std::vector<double> pool(const OutputRows& states, std::size_t rows, std::size_t width,
                         PoolingMode mode) {
  constexpr std::size_t kColumns = 64;
  if (mode == PoolingMode::kCls) rows = 1;
  std::vector<double> block(rows * kColumns), vector(width);
  for (std::size_t first = 0; first < width; first += kColumns) {
    const std::size_t columns = std::min(kColumns, width - first);
    for (std::size_t i = 0; i < rows; ++i) {
      std::copy_n(states.row(i) + first, columns, block.data() + i * columns);
    }
    fold_sum(block.data(), rows, columns);
    for (std::size_t k = 0; k < columns; ++k) {
      vector[first + k] = block[k] / static_cast<double>(rows);
    }
  }
  return vector;
}

Limits Embedder::default_limits(const TextModel& model) {
  const std::size_t longest = model.config().max_positions;
  return {std::min(model.pooling().max_tokens.value_or(longest), longest)};
}

Embedder::Embedder(const std::shared_ptr<const TextModel>& model, const EmbedderOptions& options)
    : Task(model, "An embedder", {}, options, default_limits(*model)),
      pooling_(options.pooling.value_or(model->pooling().mode)),
      normalize_(options.normalize.value_or(model->pooling().normalize)) {}

std::vector<float> Embedder::embed(const std::vector<Text>& texts, const RunOptions& run) const {
  const std::size_t width = dimension();
  std::vector<float> vectors(texts.size() * width);
  for (const Range& group : text_groups(texts, max_batch_tokens())) {
    const std::vector<Window> windows =
        encode_windows(model().tokenizer(), texts, group, limits(), run, false);
    std::vector<std::vector<double>> pooled(windows.size());
    run_windows(*this, windows, Wanted::kHidden, run, [&](std::size_t i, const OutputRows& states) {
      pooled[i] = pool(states, windows[i].size(), width, pooling_);
    });
    for (const Range& own : groups_of(windows)) {
      std::vector<double> vector = merge(windows, pooled, own, width);
      if (normalize_) unit_row(vector.data(), width);
      float* const to = vectors.data() + windows[own.begin].index * width;
      for (std::size_t k = 0; k < width; ++k) to[k] = static_cast<float>(vector[k]);
    }
  }
  return vectors;
}

}  // namespace mbrt
