// all_floats [stride [function]]: compares kernels/math with libm in double for every float of the
// intervals in its headers, and prints the maximum error and its input. Fails when an error is larger
// than the header says.
//
// stride 1, the default, is every float: about a minute per line. A prime such as 257 is enough for
// routine use. Compile it for any target, since all give the same bits; vector targets are faster.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/cpu_features.h"
#include "kernels/math/exp.h"
#include "kernels/math/exp2.h"
#include "kernels/math/gates.h"
#include "kernels/math/tanh.h"
#include "simd/simd.h"

namespace {

using mbrt::MBRT_TARGET::f32x16;

double exact_exp(double x) { return std::exp(x); }
double exact_exp2(double x) { return std::exp2(x); }
double exact_tanh(double x) { return std::tanh(x); }
double exact_silu(double x) { return x / (1.0 + std::exp(-x)); }
double exact_gelu_erf(double x) { return 0.5 * x * std::erfc(-x * std::sqrt(0.5)); }
double exact_gelu_tanh(double x) {
  const double u = std::sqrt(2.0 / std::acos(-1.0)) * (x + 0.044715 * x * x * x);
  return x / (1.0 + std::exp(-2.0 * u));
}

double ulps(double error, double exact, double) {
  const int exponent = std::ilogb(exact);
  return std::ldexp(error, 23 - (exponent < -126 ? -126 : exponent));
}
double of_x(double error, double, double x) { return error / std::fabs(x); }
double of_result(double error, double exact, double) { return error / exact; }
double absolute(double error, double, double) { return error; }

struct Sweep {
  const char* name;
  f32x16 (*f)(f32x16);
  double (*exact)(double);
  float from, to;  // of one sign; |from| <= |to|
  double (*measure)(double error, double exact, double x);
  const char* unit;
  double bound;
};

namespace math = mbrt::MBRT_TARGET;

const float kExpEnd = -0x1.5d589ep+6f;  // the last float before the cut-off of exp

const Sweep kSweeps[] = {
    {"exp", math::exp_nonpositive, exact_exp, -0.0f, kExpEnd, ulps, "ulp", 1.05},
    {"exp2", math::exp2_nonpositive, exact_exp2, -0.0f, -0x1.f7fffep+6f, of_result, "y", 3.7e-6},
    {"tanh", math::tanh, exact_tanh, 0x1p-149f, 20.0f, ulps, "ulp", 2.6},
    {"silu", math::silu, exact_silu, 0x1p-149f, 200.0f, ulps, "ulp", 1.6},
    {"silu", math::silu, exact_silu, -0x1p-149f, kExpEnd, ulps, "ulp", 3.4},
    {"silu", math::silu, exact_silu, -0x1.5d58a0p+6f, -200.0f, absolute, "", 1.1e-36},
    {"gelu_tanh", math::gelu_tanh, exact_gelu_tanh, 0x1p-149f, 200.0f, ulps, "ulp", 2.0},
    {"gelu_tanh", math::gelu_tanh, exact_gelu_tanh, -0x1p-149f, -1.0f, ulps, "ulp", 3.1},
    {"gelu_tanh", math::gelu_tanh, exact_gelu_tanh, -1.0f, -200.0f, of_x, "|x|", 4.7e-8},
    {"gelu_erf", math::gelu_erf, exact_gelu_erf, 0x1p-149f, 200.0f, ulps, "ulp", 2.7},
    {"gelu_erf", math::gelu_erf, exact_gelu_erf, -0x1p-149f, -1.0f, ulps, "ulp", 3.0},
    {"gelu_erf", math::gelu_erf, exact_gelu_erf, -1.0f, -5.5f, ulps, "ulp", 47.0},
    {"gelu_erf", math::gelu_erf, exact_gelu_erf, -1.0f, -200.0f, of_x, "|x|", 4.7e-8},
};

std::uint32_t bits_of(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

float float_of(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// f(x) for all floats between two of the same sign, 16 at a time, padded with the last one.
template <typename F>
void each_sixteen(float from, float to, std::uint64_t stride, F f) {
  const std::uint64_t last = bits_of(to);
  for (std::uint64_t next = bits_of(from); next <= last;) {
    float x[16];
    for (float& lane : x) {
      lane = float_of(static_cast<std::uint32_t>(next <= last ? next : last));
      next += stride;
    }
    f(x);
  }
}

bool run(const Sweep& sweep, std::uint64_t stride) {
  double worst = -1.0;
  float worst_x = 0.0f;
  float worst_y = 0.0f;
  each_sixteen(sweep.from, sweep.to, stride, [&](const float* x) {
    float y[16];
    math::store(y, sweep.f(math::load(x)));
    for (int i = 0; i < 16; ++i) {
      const double exact = sweep.exact(x[i]);
      const double error = sweep.measure(std::fabs(y[i] - exact), exact, x[i]);
      if (error > worst || std::isnan(error)) {  // a NaN stays: nothing is greater
        worst = error;
        worst_x = x[i];
        worst_y = y[i];
      }
    }
  });
  const bool holds = worst <= sweep.bound;
  std::printf("%-12s %12.6g to %-12.6g %9.3g %-3s (claimed %g)  x = %a  got %a  want %a%s\n",
              sweep.name, static_cast<double>(sweep.from), static_cast<double>(sweep.to), worst,
              sweep.unit, sweep.bound, static_cast<double>(worst_x), static_cast<double>(worst_y),
              sweep.exact(worst_x), holds ? "" : "  TOO LARGE");
  std::fflush(stdout);
  return holds;
}

float one(f32x16 (*f)(f32x16), float x) {
  float y[16];
  math::store(y, f(math::broadcast(x)));
  return y[0];
}

bool check(bool holds, const char* promise) {
  if (!holds) std::printf("broken: %s\n", promise);
  return holds;
}

bool special_values() {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  bool ok = check(bits_of(one(math::exp_nonpositive, -0.0f)) == bits_of(1.0f), "exp(-0) is 1");
  ok &=
      check(bits_of(one(math::exp_nonpositive, -0x1.5d58a0p+6f)) == 0, "exp is +0 at its cut-off");
  ok &= check(bits_of(one(math::exp_nonpositive, -inf)) == 0, "exp(-inf) is +0");
  ok &= check(bits_of(one(math::exp_nonpositive, nan)) == 0, "exp(NaN) is +0");
  ok &= check(bits_of(one(math::exp2_nonpositive, -0.0f)) == bits_of(1.0f), "exp2(-0) is 1");
  ok &= check(bits_of(one(math::exp2_nonpositive, -126.0f)) == 0, "exp2 is +0 at its cut-off");
  ok &= check(bits_of(one(math::exp2_nonpositive, -inf)) == 0, "exp2(-inf) is +0");
  ok &= check(bits_of(one(math::exp2_nonpositive, nan)) == 0, "exp2(NaN) is +0");
  ok &= check(one(math::tanh, inf) == 1.0f && one(math::tanh, -inf) == -1.0f, "tanh(+-inf) is +-1");
  ok &= check(std::isnan(one(math::tanh, nan)), "tanh keeps a NaN");
  ok &= check(bits_of(one(math::tanh, 0.0f)) == 0 && bits_of(one(math::tanh, -0.0f)) == 0,
              "tanh(+-0) is +0");
  f32x16 (*const gates[])(f32x16) = {math::silu, math::gelu_tanh, math::gelu_erf};
  for (const auto gate : gates) {
    ok &= check(one(gate, inf) == inf, "a gate keeps +inf");
    ok &= check(one(gate, std::numeric_limits<float>::max()) == std::numeric_limits<float>::max(),
                "a gate keeps the largest float");
    ok &= check(bits_of(one(gate, -inf)) == bits_of(-0.0f), "a gate turns -inf to -0");
    ok &= check(std::isnan(one(gate, nan)), "a gate keeps a NaN");
  }
  return ok;
}

bool tails(std::uint64_t stride) {
  const float inf = std::numeric_limits<float>::infinity();
  bool zero = true;
  each_sixteen(-0x1.5d58a0p+6f, -inf, stride, [&](const float* x) {
    float y[16];
    math::store(y, math::exp_nonpositive(math::load(x)));
    for (const float lane : y) zero &= bits_of(lane) == 0;
  });
  bool odd = true;
  bool one_at_last = true;
  each_sixteen(0x1p-149f, inf, stride, [&](const float* x) {
    float y[16];
    float mirrored[16];
    math::store(y, math::tanh(math::load(x)));
    math::store(mirrored, math::tanh(math::neg(math::load(x))));
    for (int i = 0; i < 16; ++i) {
      odd &= bits_of(mirrored[i]) == bits_of(-y[i]);
      one_at_last &= x[i] < 9.02f || bits_of(y[i]) == bits_of(1.0f);
    }
  });
  bool ok = check(zero, "exp is +0 at and below its cut-off");
  ok &= check(odd, "tanh is odd");
  ok &= check(one_at_last, "tanh is 1 from 9.02 on");
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
#ifdef MBRT_NEEDS
  if (!mbrt::detect_cpu_features().MBRT_NEEDS) {
    std::printf("SKIPPED: this processor lacks the instructions of this test\n");
    return 77;
  }
#endif
  const long stride = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 1;
  if (stride < 1) {
    std::fprintf(stderr, "usage: all_floats [stride [function]]\n");
    return 2;
  }
  bool ok = special_values();
  if (argc < 3) ok &= tails(static_cast<std::uint64_t>(stride));
  for (const Sweep& sweep : kSweeps) {
    if (argc < 3 || std::strcmp(argv[2], sweep.name) == 0) {
      ok &= run(sweep, static_cast<std::uint64_t>(stride));
    }
  }
  return ok ? 0 : 1;
}
