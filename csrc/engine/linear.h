// A linear layer of the model on one panel of rows, in either precision, with all that follows it.
#ifndef MBRT_ENGINE_LINEAR_H_
#define MBRT_ENGINE_LINEAR_H_

#include <cstddef>

#include "engine/profile.h"
#include "engine/rows.h"
#include "engine/worker.h"
#include "kernels/kernels.h"
#include "model/weights.h"

namespace mbrt {

class Linear {
 public:
  // spot: the layer's place in a profile. activation: applied after the bias, or nullptr. weights
  // and kernels must outlive the layer.
  Linear(const LinearWeights& weights, const KernelSet& kernels, Spot spot,
         const Activation* activation = nullptr, const float* activation_scale = nullptr);

  bool ends_in_relu() const {
    return epilogue_ == Epilogue::kRelu && weights_->norm.weight == nullptr;
  }

  // Quantises x for this layer, and for any other layer of its precision that reads the same rows;
  // fp32 layers read x as it is. non_negative: x is the output of a layer that ends_in_relu().
  Operand prepare(const Worker& worker, const Rows& x, std::size_t rows,
                  const QuantisedRows& memory, bool non_negative = false) const;

  // out = norm(activation(W in + b)): the worker's columns of it, or after a norm its rows. Others
  // may read them after a panel barrier.
  void run(Worker& worker, const Operand& in, std::size_t rows, const Rows& out) const;

  // out = norm(residual * residual_scale + W in + b); out may be residual itself.
  void run_residual(Worker& worker, const Operand& in, std::size_t rows, const Rows& residual,
                    const Rows& out) const;

 private:
  void multiply(Epilogue epilogue, const Operand& in, std::size_t rows, const Part& columns,
                const Rows& residual, const Rows& out) const;
  std::size_t prefetch_distance(const Part& columns) const;
  void normalise(Worker& worker, std::size_t rows, const Rows& out) const;
  Work work(std::size_t rows, const Part& columns) const;

  const LinearWeights* weights_;
  const KernelSet* kernels_;
  Spot spot_;
  Epilogue epilogue_ = Epilogue::kLinear;
  Kernel<Activate> activate_ = nullptr;
  const float* activation_scale_ = nullptr;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_LINEAR_H_
