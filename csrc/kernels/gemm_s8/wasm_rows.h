// The epilogue of the WebAssembly kernels: row by row, in one function for all heights of a tile. Unrolled, as
// store_tile does it, the epilogues would be a tenth of the module.
#ifndef MBRT_KERNELS_GEMM_S8_WASM_ROWS_H_
#define MBRT_KERNELS_GEMM_S8_WASM_ROWS_H_

#include <cstddef>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_tile.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {

// sums: of `rows` rows from m and 16 columns from n.
__attribute__((noinline)) inline void store_rows(const GemmS8& g, std::size_t m, std::size_t n,
                                                 const i32x16* sums, std::size_t rows) {
  with_constant(g.epilogue, [&](auto epilogue) MBRT_INLINE {
    for (std::size_t r = 0; r < rows; ++r) {
      const i32x16 row[1][1] = {{sums[r]}};
      store_as<decltype(epilogue)::value>(g, m + r, n, row);
    }
  });
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_GEMM_S8_WASM_ROWS_H_
