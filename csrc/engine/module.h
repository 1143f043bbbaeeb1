// A module behind the pooling of a sentence-transformers folder: a dense layer or a LayerNorm, on one
// vector.
#ifndef MBRT_ENGINE_MODULE_H_
#define MBRT_ENGINE_MODULE_H_

#include <optional>
#include <vector>

#include "engine/linear.h"
#include "model/weights.h"

namespace mbrt {

class Module {
 public:
  // weights and kernels must outlive the module.
  Module(const ModuleWeights& weights, const KernelSet& kernels);

  const ModuleConfig& config() const { return weights_->config; }

  // kDense:     activation(W x + b), and with a residual + x, or + R x
  // kLayerNorm: norm(x)
  // The vector has config().inputs values, then config().outputs. Not for kNormalize, which is done in
  // double (tasks).
  void run(std::vector<float>* vector) const;

 private:
  const ModuleWeights* weights_;
  const KernelSet* kernels_;
  std::optional<Linear> dense_, residual_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_MODULE_H_
