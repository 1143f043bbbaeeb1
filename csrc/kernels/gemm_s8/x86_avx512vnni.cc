// gemm_s8_8x48_avx512vnni: eight rows times 48 columns of int8 weights by vpdpbusd (x86_vnni.h),
// exact int32 sums.
//
// Registers: 24 accumulators (8 x 3 zmm), 3 weights, 1 broadcast of four activations; 4 free. A step
// is 24 vpdpbusd to 11 loads.
//
// Measured, 8 rows and more, operands in cache: on Zen 4 (one vpdpbusd per cycle) 94 - 97 % of its
// peak at K = 384 and 512, 80 - 90 % at K = 128. The epilogue needs three or four multiplications
// per 16 outputs on the same pipes, which limits it to 97 % at K = 512 and 90 % at K = 128.
//
// The first row tile prefetches to L2, `ahead` bytes after the next column tile: the layers of a
// model are stored in the order they are used, so this reaches into the next layer. 24 layers of
// int8 weights from memory: 12 % less time at 8 rows, 10 % at 16, the same at 128 (Cascade Lake). A
// single row tile also prefetches the next column tile to L1: 4 % less time at 1 to 8 rows (Zen 4).
// With more row tiles that costs 10 % (Cascade Lake): two tiles of K = 512 do not fit in L1.
// Tried and dropped on Zen 4: 12x32, 6x64, 16x16; 8x32 is as fast.
#include "kernels/gemm_s8/x86_vnni.h"

namespace mbrt::MBRT_TARGET {
namespace {

struct Dot {
  MBRT_INLINE void operator()(i32x16& acc, i32x16 four, i32x16 w) const {
    acc = lanes(_mm512_dpbusd_epi32(raw(acc), raw(four), raw(w)));
  }
};

}  // namespace

void gemm_s8(const GemmS8& g) { run_tiles<VnniTile<Dot, 8, 3>>(g); }

std::size_t peak_s8(std::size_t iterations) { return peak_vnni<Dot, 24>(iterations); }

}  // namespace mbrt::MBRT_TARGET
