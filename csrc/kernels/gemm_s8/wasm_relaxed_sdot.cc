// gemm_s8_4x16_wasm_relaxed_sdot: wasm_relaxed_dot.h where the second operand is read as signed bytes.
#include "kernels/gemm_s8/wasm_relaxed_dot.h"

namespace mbrt::MBRT_TARGET {

void gemm_s8(const GemmS8& g) { run_tiles<DotTile<Bytes::kSigned>>(g); }

bool is_exact() { return has_exact_sums(gemm_s8, 0); }

std::size_t peak_s8(std::size_t iterations) { return peak_relaxed_dot(iterations); }

}  // namespace mbrt::MBRT_TARGET
