#include "engine/linear.h"

#include <algorithm>

namespace mbrt {

Linear::Linear(const LinearWeights& weights, const KernelSet& kernels, Spot spot,
               const Activation* activation, const float* activation_scale)
    : weights_(&weights), kernels_(&kernels), spot_(spot), activation_scale_(activation_scale) {
  if (activation == nullptr) return;
  if (*activation == Activation::kRelu) {
    epilogue_ = Epilogue::kRelu;
  } else {
    activate_ = kernels.activate[static_cast<int>(*activation)];
  }
}

Operand Linear::prepare(const Rows& x, std::size_t rows, const QuantisedRows& room,
                        bool non_negative) const {
  if (weights_->precision == Precision::kFp32 || room.member->has_left())
    return {x.x, x.stride, nullptr, 0, nullptr, nullptr, room.member};
  const std::size_t k = weights_->k_padded;
  kernels_->quantize({rows, k, x.x, x.stride, kernels_->gemm_s8_offset, room.q, k, room.scale,
                      room.shift, non_negative});
  room.member->mark({Operation::kQuantise, spot_.stage}, rows);
  return {x.x, x.stride, room.q, k, room.scale, room.shift, room.member};
}

void Linear::run(const Operand& in, std::size_t rows, const Rows& out) const {
  const Part columns = in.member->columns(weights_->n_padded);
  multiply(epilogue_, in, rows, columns, nullptr, out);
  in.member->mark(spot_, rows, work(rows, columns));
  if (activate_ != nullptr) {
    activate_({rows, columns.size(), out.x + columns.begin, out.stride,
               activation_scale_ == nullptr ? nullptr : activation_scale_ + columns.begin});
    in.member->mark({Operation::kActivation, spot_.stage}, rows);
  }
  normalise(rows, out, *in.member);
}

void Linear::run_residual(const Operand& in, std::size_t rows, const Rows& residual,
                          const Rows& out) const {
  const Part columns = in.member->columns(weights_->n_padded);
  multiply(Epilogue::kResidual, in, rows, columns, &residual, out);
  in.member->mark(spot_, rows, work(rows, columns));
  normalise(rows, out, *in.member);
}

void Linear::multiply(Epilogue epilogue, const Operand& in, std::size_t rows, const Part& columns,
                      const Rows* residual, const Rows& out) const {
  if (columns.size() == 0) return;
  const LinearWeights& w = *weights_;
  const std::size_t first = columns.begin;
  const auto from = [&](const auto* vector) { return vector == nullptr ? vector : vector + first; };
  const float* r = residual == nullptr ? nullptr : residual->x + first;
  const std::size_t r_stride = residual == nullptr ? 0 : residual->stride;
  if (w.precision == Precision::kFp32) {
    kernels_->gemm_f32({epilogue, rows, columns.size(), w.k_padded, in.x, in.x_stride,
                        w.w_f32 + first * w.k_padded, w.k_padded * kLanes, from(w.bias), r,
                        r_stride, from(w.residual_scale), out.x + first, out.stride});
    return;
  }
  kernels_->gemm_s8({epilogue, rows, columns.size(), w.k_padded, in.q, in.q_stride, in.scale,
                     in.shift, w.w_s8 + first * w.k_padded, from(w.compensation), from(w.scale),
                     from(w.sum), from(w.bias), r, r_stride, from(w.residual_scale), out.x + first,
                     out.stride, bytes_ahead(columns)});
}

// How far ahead int8 kernels fetch. Where columns are shared the others' lie behind the member's
// own: of a small product it soon needs its own of the next one, which is most often as large. A
// kernel counts from its next column tile: for tiles of one block that is the same place there.
std::size_t Linear::bytes_ahead(const Part& columns) const {
  const LinearWeights& w = *weights_;
  const bool is_small = columns.size() * w.k_padded <= 2 * kAhead;
  const bool is_shared = columns.size() < w.n_padded;
  return is_small && is_shared ? (w.n_padded - kLanes) * w.k_padded : kAhead;
}

void Linear::normalise(std::size_t rows, const Rows& out, Member& member) const {
  const LinearWeights& w = *weights_;
  if (w.norm_weight == nullptr) return;
  member.meet(spot_.stage);
  const Part own = member.part(rows);
  kernels_->layer_norm({own.size(), w.n, out.x + own.begin * out.stride, out.stride, w.norm_weight,
                        w.norm_bias, w.norm_eps});
  member.mark({Operation::kLayerNorm, spot_.stage}, own.size());
}

Work Linear::work(std::size_t rows, const Part& columns) const {
  const LinearWeights& w = *weights_;
  const std::size_t element = w.precision == Precision::kInt8 ? sizeof(std::int8_t) : sizeof(float);
  const std::size_t real = std::min(columns.end, w.n) - std::min(columns.begin, w.n);
  return {rows * real * w.k, w.precision, columns.size() * w.k_padded * element};
}

}  // namespace mbrt
