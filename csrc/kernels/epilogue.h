// What is done to an accumulator before it is stored.
#ifndef MBRT_KERNELS_EPILOGUE_H_
#define MBRT_KERNELS_EPILOGUE_H_

#include <type_traits>

namespace mbrt {

enum class Epilogue : int {
  kLinear = 0,  // y = x + bias
  kRelu = 1,    // y = max(x + bias, 0)
  kResidual =
      2,         // y = residual * residual_scale + (x + bias): a residual with its NoNorm folded in
  kProduct = 3,  // y = x: the two products of attention
};
inline constexpr int kEpilogueCount = 4;

template <Epilogue kEpilogue>
using EpilogueConstant = std::integral_constant<Epilogue, kEpilogue>;

// Calls f with the epilogue as a constant, so that no loop tests it.
template <typename F>
__attribute__((always_inline)) inline void with_constant(Epilogue epilogue, F&& f) {
  switch (epilogue) {
    case Epilogue::kLinear:
      return f(EpilogueConstant<Epilogue::kLinear>{});
    case Epilogue::kRelu:
      return f(EpilogueConstant<Epilogue::kRelu>{});
    case Epilogue::kResidual:
      return f(EpilogueConstant<Epilogue::kResidual>{});
    case Epilogue::kProduct:
      return f(EpilogueConstant<Epilogue::kProduct>{});
  }
}

}  // namespace mbrt

#endif  // MBRT_KERNELS_EPILOGUE_H_
