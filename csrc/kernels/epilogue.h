// What happens to an accumulator before it is stored. A kernel is instantiated once per kind, so no
// flag is tested in a loop.
#ifndef MBRT_KERNELS_EPILOGUE_H_
#define MBRT_KERNELS_EPILOGUE_H_

namespace mbrt {

enum class Epilogue : int {
  kLinear = 0,  // y = x + bias
  kRelu = 1,    // y = max(x + bias, 0)
  kResidual =
      2,         // y = residual * residual_scale + (x + bias): a residual with its NoNorm folded in
  kProduct = 3,  // y = x: the two products of attention
};
inline constexpr int kEpilogueCount = 4;

}  // namespace mbrt

#endif  // MBRT_KERNELS_EPILOGUE_H_
