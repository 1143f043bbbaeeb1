#include "engine/heads.h"

#include <algorithm>
#include <cstring>

namespace mbrt {
namespace {

// Copies rows of the last hidden state to the gathered ones; token(i) is a token of the chunk.
template <typename Token>
const Rows& gather(const ChunkView& view, Scratch& scratch, std::size_t rows, Token token) {
  const std::size_t width = view.widths->hidden;
  const Rows& to = scratch.rows.gathered;
  scratch.member->meet(kHeadStage);  // what was gathered before has been read
  const Part own = scratch.member->part(rows);
  for (std::size_t i = own.begin; i < own.end; ++i) {
    std::memcpy(to.x + i * to.stride, view.stream->hidden + token(i) * width,
                width * sizeof(float));
  }
  scratch.member->meet(kHeadStage);
  return to;
}

constexpr Spot head_spot(Operation operation) { return {operation, kHeadStage}; }

}  // namespace

Heads::Heads(const ModelWeights& weights, const KernelSet& kernels)
    : pooler_kind_(weights.config.pooler), shapes_(weights.config) {
  const HeadWeights& heads = weights.heads;
  if (heads.pooler) {
    const Activation activation =
        pooler_kind_ == Pooler::kRelu ? Activation::kRelu : Activation::kTanh;
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

void Heads::run(const ChunkView& view, Scratch& scratch) const {
  const Outputs& out = *view.outputs;
  if (out.logits != nullptr && shapes_.logits.per_token) run_tokens(view, scratch);
  const bool pooled_logits = out.logits != nullptr && !shapes_.logits.per_token;
  if (out.pooled != nullptr || pooled_logits || out.next_sentence != nullptr) {
    run_sequences(view, scratch);
  }
}

void Heads::run_tokens(const ChunkView& view, Scratch& scratch) const {
  const Outputs& out = *view.outputs;
  const std::size_t first = view.first_token();
  // The wanted tokens that lie in this chunk; without a list, all of them.
  const std::size_t* wanted = out.logit_tokens;
  std::size_t begin = first;
  std::size_t count = view.tokens();
  if (wanted != nullptr) {
    const std::size_t* end = wanted + out.logit_token_count;
    const std::size_t* low = std::lower_bound(wanted, end, first);
    begin = static_cast<std::size_t>(low - wanted);
    count = static_cast<std::size_t>(std::lower_bound(low, end, first + view.tokens()) - low);
  }
  Share(count, *scratch.member).for_each([&](std::size_t row, std::size_t rows) {
    const Rows& hidden = gather(view, scratch, rows, [&](std::size_t i) {
      return wanted == nullptr ? row + i : wanted[begin + row + i] - first;
    });
    float* logits = out.logits + (begin + row) * shapes_.logits.stride();
    if (mlm_transform_ && mlm_decoder_) {
      run_mlm(*mlm_transform_, *mlm_decoder_, scratch, rows, logits);
    } else if (classifier_) {
      classifier_->run(classifier_->prepare(hidden, rows, scratch.quantised), rows,
                       {logits, shapes_.logits.stride()});
    }
  });
}

void Heads::run_mlm(const Linear& transform, const Linear& decoder, Scratch& scratch,
                    std::size_t rows, float* logits) const {
  const Rows& wide = scratch.rows.wide;
  transform.run(transform.prepare(scratch.rows.gathered, rows, scratch.quantised), rows, wide);
  scratch.member->meet(kHeadStage);
  decoder.run(decoder.prepare(wide, rows, scratch.quantised), rows,
              {logits, shapes_.logits.stride()});
}

void Heads::run_sequences(const ChunkView& view, Scratch& scratch) const {
  const Outputs& out = *view.outputs;
  const std::size_t width = view.widths->hidden;
  const std::size_t sequences = view.chunk.last - view.chunk.first;
  Share(sequences, *scratch.member).for_each([&](std::size_t row, std::size_t rows) {
    const std::size_t b = view.chunk.first + row;
    gather(view, scratch, rows,
           [&](std::size_t i) { return view.batch->offsets[b + i] - view.first_token(); });
    const Rows pooled = pool(scratch, rows);
    const Part own = scratch.member->part(rows);
    for (std::size_t i = own.begin; out.pooled != nullptr && i < own.end; ++i) {
      std::memcpy(out.pooled + (b + i) * width, pooled.x + i * pooled.stride,
                  width * sizeof(float));
    }
    scratch.member->mark(head_spot(Operation::kOutputs), rows);
    if (out.logits != nullptr && !shapes_.logits.per_token && classifier_) {
      classifier_->run(classifier_->prepare(pooled, rows, scratch.quantised), rows,
                       {out.logits + b * shapes_.logits.stride(), shapes_.logits.stride()});
    }
    if (out.next_sentence != nullptr && next_sentence_) {
      next_sentence_->run(
          next_sentence_->prepare(pooled, rows, scratch.quantised), rows,
          {out.next_sentence + b * shapes_.next_sentence.stride(), shapes_.next_sentence.stride()});
    }
  });
}

// The pooled vector of the gathered first tokens.
Rows Heads::pool(Scratch& scratch, std::size_t rows) const {
  const Rows& gathered = scratch.rows.gathered;
  if (!pooler_) return gathered;
  pooler_->run(pooler_->prepare(gathered, rows, scratch.quantised), rows, scratch.rows.wide);
  scratch.member->meet(kHeadStage);
  return scratch.rows.wide;
}

}  // namespace mbrt
