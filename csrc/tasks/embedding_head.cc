#include "tasks/embedding_head.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/message.h"
#include "tasks/numeric.h"

namespace mbrt {
namespace {

// Rows of doubles, of which the first becomes the pooled one. rows >= 1.
void pool_block(double* block, std::size_t rows, std::size_t columns, std::size_t skipped,
                PoolingMode mode) {
  double divisor = 1;
  if (mode == PoolingMode::kMax) {
    for (std::size_t i = 1; i < rows; ++i) {
      for (std::size_t k = 0; k < columns; ++k) {
        block[k] = std::max(block[k], block[i * columns + k]);
      }
    }
    return;
  }
  if (mode == PoolingMode::kMean) divisor = static_cast<double>(rows);
  if (mode == PoolingMode::kMeanSqrtLen) divisor = std::sqrt(static_cast<double>(rows));
  if (mode == PoolingMode::kWeightedMean) {
    divisor = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto weight = static_cast<double>(skipped + i + 1);
      for (std::size_t k = 0; k < columns; ++k) block[i * columns + k] *= weight;
      divisor += weight;
    }
  }
  fold_sum(block, rows, columns);
  for (std::size_t k = 0; k < columns; ++k) block[k] /= divisor;
}

// Appends the pooled vector. A block of columns at a time, so that the rows in double stay in the
// first-level cache.
void append_pooled(const OutputRows& states, Range rows, std::size_t width, PoolingMode mode,
                   std::vector<double>* vector) {
  constexpr std::size_t kColumns = 64;
  if (mode == PoolingMode::kCls) rows.end = rows.begin + 1;
  if (mode == PoolingMode::kLastToken) rows.begin = rows.end - 1;
  std::vector<double> block(rows.size() * kColumns);
  for (std::size_t first = 0; first < width; first += kColumns) {
    const std::size_t columns = std::min(kColumns, width - first);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::copy_n(states.row(rows.begin + i) + first, columns, block.data() + i * columns);
    }
    pool_block(block.data(), rows.size(), columns, rows.begin, mode);
    vector->insert(vector->end(), block.begin(),
                   block.begin() + static_cast<std::ptrdiff_t>(columns));
  }
}

}  // namespace

EmbeddingHead::EmbeddingHead(const Encoder& encoder, const EmbeddingOptions& options)
    : width_(encoder.config().hidden_size) {
  const ModelFile& file = encoder.file();
  const Pooling& pooling = file.sentence().pooling;
  modes_ = options.pooling.value_or(pooling.modes);
  for (const ModuleWeights& weights : file.weights().modules) {
    modules_.emplace_back(weights, encoder.kernels());
  }
  dimension_ = width_ * modes_.size();
  if (!modules_.empty()) {
    if (modes_.size() != pooling.modes.size()) {
      throw InputError("pooling: found " + quoted(pooling_text(modes_)) + "; expected " +
                       thousands(pooling.modes.size()) + " modes, as in " +
                       quoted(pooling_text(pooling.modes)) + ", which the model's modules read.");
    }
    dimension_ = modules_.back().config().outputs;
  }
  normalize_ = options.normalize.value_or(pooling.normalize);
  truncates_first_ = options.normalize.has_value();
  if (const auto wanted = options.truncate_dim ? options.truncate_dim : pooling.truncate_dim) {
    if (*wanted == 0) throw InputError("truncate_dim: found 0; expected at least 1.");
    dimension_ = std::min(dimension_, *wanted);
  }
}

std::vector<double> EmbeddingHead::pool(const OutputRows& states, std::size_t rows,
                                        std::size_t skipped) const {
  std::vector<double> vector;
  vector.reserve(width_ * modes_.size());
  const Range kept{std::min(skipped, rows - 1), rows};
  for (const PoolingMode mode : modes_) append_pooled(states, kept, width_, mode, &vector);
  return vector;
}

void EmbeddingHead::finish(std::vector<double> vector, float* to) const {
  for (const Module& module : modules_) {
    if (module.config().kind == ModuleKind::kNormalize) {
      unit_row(vector.data(), vector.size());
      continue;
    }
    std::vector<float> row(vector.begin(), vector.end());
    module.run(&row);
    vector.assign(row.begin(), row.end());
  }
  if (truncates_first_) vector.resize(dimension_);
  if (normalize_) unit_row(vector.data(), vector.size());
  for (std::size_t k = 0; k < dimension_; ++k) to[k] = static_cast<float>(vector[k]);
}

}  // namespace mbrt
