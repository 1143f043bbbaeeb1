#include "engine/embeddings.h"

#include <algorithm>
#include <cstring>

namespace mbrt {
namespace {

// Calls visit(row, token in the batch, position, length of its sequence) for each of the worker's
// rows of the panel.
template <typename Visit>
void for_each_token(const Worker& worker, const Panel& panel, Visit visit) {
  const Batch& batch = *panel.view->batch;
  const Chunk& chunk = panel.view->chunk;
  const Part own = worker.part(panel.rows);
  if (own.size() == 0) return;
  std::size_t token = panel.view->first_token() + panel.first + own.begin;
  const std::size_t* next =
      std::upper_bound(batch.offsets + chunk.first, batch.offsets + chunk.last, token);
  std::size_t b = static_cast<std::size_t>(next - batch.offsets) - 1;
  for (std::size_t row = own.begin; row < own.end; ++row, ++token) {
    if (token == batch.offsets[b + 1]) ++b;
    visit(row, token, token - batch.offsets[b], batch.length(b));
  }
}

}  // namespace

Embeddings::Embeddings(const ModelWeights& weights, const KernelSet& kernels)
    : weights_(&weights.embeddings),
      kernels_(&kernels),
      trigram_(weights.config.trigram),
      word_width_(pad16(weights.config.embedding_size)),
      hidden_width_(pad16(weights.config.hidden_size)),
      hidden_size_(weights.config.hidden_size),
      ones_(hidden_width_, 1.0f) {
  if (!weights_->projection) return;
  projection_weights_ = *weights_->projection;
  projection_weights_.residual_scale = ones_.data();
  projection_.emplace(projection_weights_, kernels,
                      Spot{Operation::kEmbeddingProjection, kEmbeddingsStage});
}

void Embeddings::run(Worker& worker, const Panel& panel) const {
  add_tables(worker, panel);
  if (projection_) gather_words(worker, panel);
  worker.mark({Operation::kEmbeddings, kEmbeddingsStage}, panel.rows);
  worker.panel_barrier(kEmbeddingsStage);
  if (projection_) {
    const Operand words = projection_->prepare(worker, panel.scratch->rows.gathered, panel.rows,
                                               panel.scratch->quantised);
    projection_->run_residual(worker, words, panel.rows, panel.hidden, panel.hidden);
    worker.panel_barrier(kEmbeddingsStage);
  }
  if (weights_->norm.weight != nullptr) {
    const Part own = worker.part(panel.rows);
    const Rows& hidden = panel.hidden;
    kernels_->layer_norm({.rows = own.size(),
                          .n = hidden_size_,
                          .x = hidden.x + own.begin * hidden.stride,
                          .x_stride = hidden.stride,
                          .weight = weights_->norm.weight,
                          .bias = weights_->norm.bias,
                          .eps = weights_->norm.eps});
    worker.mark({Operation::kLayerNorm, kEmbeddingsStage}, own.size());
    worker.panel_barrier(kEmbeddingsStage);
  }
}

// hidden = position + type, or with no projection (word + type) + position.
void Embeddings::add_tables(const Worker& worker, const Panel& panel) const {
  const Batch& batch = *panel.view->batch;
  for_each_token(worker, panel,
                 [&](std::size_t row, std::size_t token, std::size_t position, std::size_t) {
                   float* h = panel.hidden.x + row * panel.hidden.stride;
                   const float* p = weights_->position + position * hidden_width_;
                   const float* t = nullptr;
                   if (weights_->type != nullptr) {
                     const std::int32_t type = batch.types == nullptr ? 0 : batch.types[token];
                     t = weights_->type + static_cast<std::size_t>(type) * hidden_width_;
                   }
                   if (projection_) {
                     for (std::size_t i = 0; i < hidden_width_; ++i)
                       h[i] = t == nullptr ? p[i] : p[i] + t[i];
                     return;
                   }
                   write_word(batch.ids[token], h);
                   for (std::size_t i = 0; t != nullptr && i < hidden_width_; ++i) h[i] += t[i];
                   for (std::size_t i = 0; i < hidden_width_; ++i) h[i] += p[i];
                 });
}

void Embeddings::gather_words(const Worker& worker, const Panel& panel) const {
  const Batch& batch = *panel.view->batch;
  const Rows& words = panel.scratch->rows.gathered;
  for_each_token(worker, panel,
                 [&](std::size_t row, std::size_t token, std::size_t position, std::size_t length) {
                   float* to = words.x + row * words.stride;
                   if (!trigram_) {
                     write_word(batch.ids[token], to);
                     return;
                   }
                   const auto tap = [&](bool inside, std::size_t neighbour, float* slot) {
                     if (inside) {
                       write_word(batch.ids[neighbour], slot);
                     } else {
                       std::memset(slot, 0, word_width_ * sizeof(float));
                     }
                   };
                   tap(position + 1 < length, token + 1, to);
                   tap(true, token, to + word_width_);
                   tap(position > 0, token - 1, to + 2 * word_width_);
                 });
}

void Embeddings::write_word(std::int32_t id, float* to) const {
  const std::size_t row = static_cast<std::size_t>(id);
  if (weights_->word_f32 != nullptr) {
    std::memcpy(to, weights_->word_f32 + row * word_width_, word_width_ * sizeof(float));
    return;
  }
  const std::int8_t* q = weights_->word_s8 + row * word_width_;
  const float scale = weights_->word_scale[row];
  for (std::size_t i = 0; i < word_width_; ++i) to[i] = static_cast<float>(q[i]) * scale;
}

}  // namespace mbrt
