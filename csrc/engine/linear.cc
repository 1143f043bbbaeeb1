#include "engine/linear.h"

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

Operand Linear::prepare(const Rows& x, std::size_t rows, const QuantisedRows& room) const {
  if (weights_->precision == Precision::kFp32)
    return {x.x, x.stride, nullptr, 0, nullptr, nullptr, room.lane};
  const std::size_t k = weights_->k_padded;
  kernels_->quantize(
      {rows, k, x.x, x.stride, kernels_->gemm_s8_offset, room.q, k, room.scale, room.shift});
  mark(room.lane, {Operation::kQuantise, spot_.stage}, rows);
  return {x.x, x.stride, room.q, k, room.scale, room.shift, room.lane};
}

void Linear::run(const Operand& in, std::size_t rows, const Rows& out) const {
  multiply(epilogue_, in, rows, nullptr, out);
  if (in.lane != nullptr) in.lane->mark(spot_, rows, work(rows));
  if (activate_ != nullptr) {
    activate_({rows, weights_->n_padded, out.x, out.stride, activation_scale_});
    mark(in.lane, {Operation::kActivation, spot_.stage}, rows);
  }
  normalise(rows, out, in.lane);
}

void Linear::run_residual(const Operand& in, std::size_t rows, const Rows& residual,
                          const Rows& out) const {
  multiply(Epilogue::kResidual, in, rows, &residual, out);
  if (in.lane != nullptr) in.lane->mark(spot_, rows, work(rows));
  normalise(rows, out, in.lane);
}

void Linear::multiply(Epilogue epilogue, const Operand& in, std::size_t rows, const Rows* residual,
                      const Rows& out) const {
  const LinearWeights& w = *weights_;
  const float* r = residual == nullptr ? nullptr : residual->x;
  const std::size_t r_stride = residual == nullptr ? 0 : residual->stride;
  if (w.precision == Precision::kFp32) {
    kernels_->gemm_f32({epilogue, rows, w.n_padded, w.k_padded, in.x, in.x_stride, w.w_f32,
                        w.k_padded * kLanes, w.bias, r, r_stride, w.residual_scale, out.x,
                        out.stride});
    return;
  }
  kernels_->gemm_s8({epilogue, rows, w.n_padded, w.k_padded, in.q, in.q_stride, in.scale, in.shift,
                     w.w_s8, w.compensation, w.scale, w.sum, w.bias, r, r_stride, w.residual_scale,
                     out.x, out.stride});
}

void Linear::normalise(std::size_t rows, const Rows& out, Lane* lane) const {
  const LinearWeights& w = *weights_;
  if (w.norm_weight == nullptr) return;
  kernels_->layer_norm({rows, w.n, out.x, out.stride, w.norm_weight, w.norm_bias, w.norm_eps});
  mark(lane, {Operation::kLayerNorm, spot_.stage}, rows);
}

Work Linear::work(std::size_t rows) const {
  const LinearWeights& w = *weights_;
  const std::size_t element = w.precision == Precision::kInt8 ? sizeof(std::int8_t) : sizeof(float);
  return {rows * w.n * w.k, w.precision, w.n_padded * w.k_padded * element};
}

}  // namespace mbrt
