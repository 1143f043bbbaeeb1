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

Operand Linear::prepare(const Worker& worker, const Rows& x, std::size_t rows,
                        const QuantisedRows& memory, bool non_negative) const {
  Operand operand{.x = x.x, .x_stride = x.stride};
  if (weights_->precision == Precision::kFp32) return operand;
  const std::size_t k = weights_->k_padded;
  kernels_->quantize({.rows = rows,
                      .k = k,
                      .x = x.x,
                      .x_stride = x.stride,
                      .offset = kernels_->gemm_s8_offset,
                      .q = memory.q,
                      .q_stride = k,
                      .scale = memory.scale,
                      .shift = memory.shift,
                      .non_negative = non_negative});
  operand.q = memory.q;
  operand.q_stride = k;
  operand.scale = memory.scale;
  operand.shift = memory.shift;
  worker.mark({Operation::kQuantise, spot_.stage}, rows);
  return operand;
}

void Linear::run(Worker& worker, const Operand& in, std::size_t rows, const Rows& out) const {
  const Part columns = worker.columns(weights_->n_padded);
  multiply(epilogue_, in, rows, columns, {}, out);
  worker.mark(spot_, rows, work(rows, columns));
  if (activate_ != nullptr) {
    activate_(
        {.rows = rows,
         .n = columns.size(),
         .x = out.x + columns.begin,
         .x_stride = out.stride,
         .scale = activation_scale_ == nullptr ? nullptr : activation_scale_ + columns.begin});
    worker.mark({Operation::kActivation, spot_.stage}, rows);
  }
  normalise(worker, rows, out);
}

void Linear::run_residual(Worker& worker, const Operand& in, std::size_t rows, const Rows& residual,
                          const Rows& out) const {
  const Part columns = worker.columns(weights_->n_padded);
  multiply(Epilogue::kResidual, in, rows, columns, residual, out);
  worker.mark(spot_, rows, work(rows, columns));
  normalise(worker, rows, out);
}

void Linear::multiply(Epilogue epilogue, const Operand& in, std::size_t rows, const Part& columns,
                      const Rows& residual, const Rows& out) const {
  if (columns.size() == 0) return;
  const LinearWeights& w = *weights_;
  const std::size_t first = columns.begin;
  const auto from = [&](const auto* vector) { return vector == nullptr ? vector : vector + first; };
  if (w.precision == Precision::kFp32) {
    kernels_->gemm_f32({.epilogue = epilogue,
                        .m = rows,
                        .n = columns.size(),
                        .k = w.k_padded,
                        .a = in.x,
                        .a_stride = in.x_stride,
                        .w = w.w_f32 + first * w.k_padded,
                        .panel_stride = w.k_padded * kLanes,
                        .bias = from(w.bias),
                        .residual = from(residual.x),
                        .residual_stride = residual.stride,
                        .residual_scale = from(w.residual_scale),
                        .out = out.x + first,
                        .out_stride = out.stride});
    return;
  }
  kernels_->gemm_s8({.epilogue = epilogue,
                     .m = rows,
                     .n = columns.size(),
                     .k = w.k_padded,
                     .a = in.q,
                     .a_stride = in.q_stride,
                     .a_scale = in.scale,
                     .a_shift = in.shift,
                     .w = w.w_s8 + first * w.k_padded,
                     .compensation = from(w.compensation),
                     .w_scale = from(w.scale),
                     .w_sum = from(w.sum),
                     .bias = from(w.bias),
                     .residual = from(residual.x),
                     .residual_stride = residual.stride,
                     .residual_scale = from(w.residual_scale),
                     .out = out.x + first,
                     .out_stride = out.stride,
                     .ahead = prefetch_distance(columns)});
}

// How far ahead int8 kernels prefetch. When columns are shared, the weights after the worker's own
// are those of other workers; with a small product the worker soon needs its own of the next
// product, which is usually as large. A kernel counts from its next column tile: for tiles of one
// block that is the same place there.
std::size_t Linear::prefetch_distance(const Part& columns) const {
  const LinearWeights& w = *weights_;
  const bool is_small = columns.size() * w.k_padded <= 2 * kAhead;
  const bool is_shared = columns.size() < w.n_padded;
  return is_small && is_shared ? (w.n_padded - kLanes) * w.k_padded : kAhead;
}

void Linear::normalise(Worker& worker, std::size_t rows, const Rows& out) const {
  const LinearWeights& w = *weights_;
  if (w.norm.weight == nullptr) return;
  worker.panel_barrier(spot_.stage);
  const Part own = worker.part(rows);
  kernels_->layer_norm({.rows = own.size(),
                        .n = w.n,
                        .x = out.x + own.begin * out.stride,
                        .x_stride = out.stride,
                        .weight = w.norm.weight,
                        .bias = w.norm.bias,
                        .eps = w.norm.eps});
  worker.mark({Operation::kLayerNorm, spot_.stage}, own.size());
}

Work Linear::work(std::size_t rows, const Part& columns) const {
  const LinearWeights& w = *weights_;
  const std::size_t element = w.precision == Precision::kInt8 ? sizeof(std::int8_t) : sizeof(float);
  const std::size_t real = std::min(columns.end, w.n) - std::min(columns.begin, w.n);
  return {.macs = rows * real * w.k,
          .precision = w.precision,
          .weight_bytes = columns.size() * w.k_padded * element};
}

}  // namespace mbrt
