#include "engine/module.h"

#include <algorithm>

#include "base/aligned.h"

namespace mbrt {
namespace {

constexpr Spot kSpot{Operation::kClassifier, kHeadStage};

// The values, then zeros up to a multiple of 16.
AlignedArray<float> padded(const std::vector<float>& values) {
  AlignedArray<float> row(pad16(values.size()));
  std::fill(std::copy(values.begin(), values.end(), row.begin()), row.end(), 0.0f);
  return row;
}

// The layer on one row.
AlignedArray<float> run_layer(const Linear& layer, const LinearWeights& weights,
                              AlignedArray<float>& in) {
  AlignedArray<float> out(weights.n_padded);
  AlignedArray<std::uint8_t> bytes(weights.k_padded);
  float scale = 0, shift = 0;
  Worker alone(nullptr);
  const Operand operand = layer.prepare(alone, {in.data(), in.size()}, 1,
                                        {.q = bytes.data(), .scale = &scale, .shift = &shift});
  layer.run(alone, operand, 1, {out.data(), out.size()});
  return out;
}

}  // namespace

Module::Module(const ModuleWeights& weights, const KernelSet& kernels)
    : weights_(&weights), kernels_(&kernels) {
  if (weights.config.kind != ModuleKind::kDense) return;
  const std::optional<Activation>& activation = weights.config.activation;
  dense_.emplace(weights.dense, kernels, kSpot, activation ? &*activation : nullptr);
  if (weights.residual) residual_.emplace(*weights.residual, kernels, kSpot);
}

void Module::run(std::vector<float>* vector) const {
  AlignedArray<float> row = padded(*vector);
  if (!dense_) {
    kernels_->layer_norm({.rows = 1,
                          .n = vector->size(),
                          .x = row.data(),
                          .x_stride = row.size(),
                          .weight = weights_->norm.weight,
                          .bias = weights_->norm.bias,
                          .eps = weights_->norm.eps});
    vector->assign(row.begin(), row.begin() + config().outputs);
    return;
  }
  const AlignedArray<float> out = run_layer(*dense_, weights_->dense, row);
  if (residual_) row = run_layer(*residual_, *weights_->residual, row);
  vector->assign(out.begin(), out.begin() + config().outputs);
  for (std::size_t i = 0; config().residual && i < vector->size(); ++i) (*vector)[i] += row[i];
}

}  // namespace mbrt
