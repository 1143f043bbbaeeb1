#include "engine/heads.h"

#include <algorithm>
#include <cstring>

namespace mbrt {
namespace {

// Copies rows of the last hidden state to scratch.rows.gathered; token(i) is a token of the chunk.
template <typename Token>
const Rows& gather(Worker& worker, const ChunkView& view, const Scratch& scratch, std::size_t rows,
                   Token token) {
  const std::size_t width = view.widths->hidden;
  const Rows& to = scratch.rows.gathered;
  worker.panel_barrier(kHeadStage);  // the previous rows have been read
  const Part own = worker.part(rows);
  for (std::size_t i = own.begin; i < own.end; ++i) {
    std::memcpy(to.x + i * to.stride, view.stream->hidden + token(i) * width,
                width * sizeof(float));
  }
  worker.panel_barrier(kHeadStage);
  return to;
}

constexpr Spot head_spot(Operation operation) { return {operation, kHeadStage}; }

}  // namespace

Heads::Heads(const ModelWeights& weights, const KernelSet& kernels) : shapes_(weights.config) {
  const HeadWeights& heads = weights.heads;
  if (heads.pooler) {
    const Activation activation =
        weights.config.pooler == Pooler::kRelu ? Activation::kRelu : Activation::kTanh;
    pooler_.emplace(*heads.pooler, kernels, head_spot(Operation::kPooler), &activation);
  }
  if (heads.mlm_transform && heads.mlm_decoder) {
    mlm_transform_.emplace(*heads.mlm_transform, kernels, head_spot(Operation::kMlmTransform),
                           &weights.config.mlm_activation);
    mlm_decoder_.emplace(*heads.mlm_decoder, kernels, head_spot(Operation::kMlmDecoder));
  }
  if (heads.classifier) {
    classifier_.emplace(*heads.classifier, kernels, head_spot(Operation::kClassifier));
  }
  if (heads.next_sentence) {
    next_sentence_.emplace(*heads.next_sentence, kernels, head_spot(Operation::kNextSentence));
  }
}

void Heads::run(Worker& worker, const ChunkView& view, const Scratch& scratch) const {
  const Outputs& out = *view.outputs;
  if (out.logits != nullptr && shapes_.logits.per_token) run_tokens(worker, view, scratch);
  const bool pooled_logits = out.logits != nullptr && !shapes_.logits.per_token;
  if (out.pooled != nullptr || pooled_logits || out.next_sentence != nullptr) {
    run_sequences(worker, view, scratch);
  }
}

void Heads::run_tokens(Worker& worker, const ChunkView& view, const Scratch& scratch) const {
  const Outputs& out = *view.outputs;
  const std::size_t first = view.first_token();
  // The chosen tokens in this chunk; without a list, all of them.
  const std::size_t* chosen = out.logit_tokens;
  std::size_t begin = first;
  std::size_t count = view.tokens();
  if (chosen != nullptr) {
    const std::size_t* end = chosen + out.logit_token_count;
    const std::size_t* low = std::lower_bound(chosen, end, first);
    begin = static_cast<std::size_t>(low - chosen);
    count = static_cast<std::size_t>(std::lower_bound(low, end, first + view.tokens()) - low);
  }
  WorkerRows(count, worker).for_each([&](std::size_t row, std::size_t rows) {
    const Rows& hidden = gather(worker, view, scratch, rows, [&](std::size_t i) {
      return chosen == nullptr ? row + i : chosen[begin + row + i] - first;
    });
    const std::size_t stride = shapes_.logits.stride();
    const Rows logits{.x = out.logits + (begin + row) * stride, .stride = stride};
    if (mlm_transform_ && mlm_decoder_) {
      run_layer(worker, *mlm_transform_, scratch, hidden, rows, scratch.rows.wide);
      worker.panel_barrier(kHeadStage);
      run_layer(worker, *mlm_decoder_, scratch, scratch.rows.wide, rows, logits);
    } else if (classifier_) {
      run_layer(worker, *classifier_, scratch, hidden, rows, logits);
    }
  });
}

void Heads::run_sequences(Worker& worker, const ChunkView& view, const Scratch& scratch) const {
  const Outputs& out = *view.outputs;
  const std::size_t width = view.widths->hidden;
  const std::size_t sequences = view.chunk.last - view.chunk.first;
  WorkerRows(sequences, worker).for_each([&](std::size_t row, std::size_t rows) {
    const std::size_t b = view.chunk.first + row;
    Rows pooled = gather(worker, view, scratch, rows, [&](std::size_t i) {
      return view.batch->offsets[b + i] - view.first_token();
    });
    if (pooler_) {
      run_layer(worker, *pooler_, scratch, pooled, rows, scratch.rows.wide);
      worker.panel_barrier(kHeadStage);
      pooled = scratch.rows.wide;
    }
    const Part own = worker.part(rows);
    for (std::size_t i = own.begin; out.pooled != nullptr && i < own.end; ++i) {
      std::memcpy(out.pooled + (b + i) * width, pooled.x + i * pooled.stride,
                  width * sizeof(float));
    }
    worker.mark(head_spot(Operation::kOutputs), rows);
    const auto write = [&](const std::optional<Linear>& head, float* to, std::size_t stride) {
      if (to != nullptr && head) {
        run_layer(worker, *head, scratch, pooled, rows, {.x = to + b * stride, .stride = stride});
      }
    };
    if (!shapes_.logits.per_token) write(classifier_, out.logits, shapes_.logits.stride());
    write(next_sentence_, out.next_sentence, shapes_.next_sentence.stride());
  });
}

void Heads::run_layer(Worker& worker, const Linear& layer, const Scratch& scratch, const Rows& in,
                      std::size_t rows, const Rows& out) {
  layer.run(worker, layer.prepare(worker, in, rows, scratch.quantised), rows, out);
}

}  // namespace mbrt
