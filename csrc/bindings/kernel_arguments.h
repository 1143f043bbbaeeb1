// Calls any kernel of kernels.inc by its name, for tests and benchmarks.
//
// Fields gives the arguments by the names of the fields of the argument struct, each as large as the kernel's
// contract says:
//
//   Shape matrix(name, T** data, size_t* stride, Shape min)   rows of contiguous values; returns what there is
//   void vector(name, T** data, size_t min)                   at least min contiguous values
//   bool has(name); T number<T>(name); size_t positive(name); bool flag(name); void expect_none_left()
#ifndef MBRT_BINDINGS_KERNEL_ARGUMENTS_H_
#define MBRT_BINDINGS_KERNEL_ARGUMENTS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/lanes.h"
#include "kernels/kernels.h"

namespace mbrt::bindings {

[[noreturn]] inline void refuse(const std::string& name, const std::string& expected) {
  throw InputError(name + ": the kernel's contract needs " + expected);
}

inline void expect_multiple_of_16(std::size_t n, const char* name) {
  if (n == 0 || n % kLanes != 0) refuse(name, "a positive multiple of 16");
}

// One overload for each argument struct.

// What both products have.
template <typename Fields, typename Gemm>
void read_gemm(Fields& f, Gemm* g) {
  const auto epilogue = f.template number<int>("epilogue");
  if (epilogue < 0 || epilogue >= kEpilogueCount) refuse("epilogue", "0 .. 3");
  g->epilogue = static_cast<Epilogue>(epilogue);
  std::tie(g->m, g->k) = f.matrix("a", &g->a, &g->a_stride);
  g->n = f.number("n");
  expect_multiple_of_16(g->n, "n");
  if (g->epilogue != Epilogue::kProduct) f.vector("bias", &g->bias, g->n);
  if (g->epilogue == Epilogue::kResidual) {
    f.matrix("residual", &g->residual, &g->residual_stride, {g->m, g->n});
    f.vector("residual_scale", &g->residual_scale, g->n);
  }
  f.matrix("out", &g->out, &g->out_stride, {g->m, g->n});
}

template <typename Fields>
void read(Fields& f, const KernelSet& set, GemmS8* g) {
  read_gemm(f, g);
  expect_multiple_of_16(g->k, "k");
  if (g->k > kMaxKS8) refuse("k", "at most " + std::to_string(kMaxKS8));
  f.vector("w", &g->w, g->n * g->k);
  if (set.gemm_s8_offset != 0) f.vector("compensation", &g->compensation, g->n);
  f.vector("w_scale", &g->w_scale, g->n);
  if (g->epilogue != Epilogue::kProduct) {
    f.vector("a_scale", &g->a_scale, g->m);
    f.vector("a_shift", &g->a_shift, g->m);
    f.vector("w_sum", &g->w_sum, g->n);
  }
  g->non_negative = f.flag("non_negative");
}

template <typename Fields>
void read(Fields& f, const KernelSet&, GemmF32* g) {
  read_gemm(f, g);
  g->panel_stride = f.number("panel_stride");
  if (g->panel_stride < g->k * kLanes) refuse("panel_stride", "at least k * 16");
  f.vector("w", &g->w, (g->n / kLanes - 1) * g->panel_stride + g->k * kLanes);
}

template <typename Fields>
void read(Fields& f, const KernelSet& set, Quantize* a) {
  std::tie(a->rows, a->k) = f.matrix("x", &a->x, &a->x_stride);
  expect_multiple_of_16(a->k, "k");
  f.matrix("q", &a->q, &a->q_stride, {a->rows, a->k});
  f.vector("scale", &a->scale, a->rows);
  f.vector("shift", &a->shift, a->rows);
  a->offset = set.gemm_s8_offset;
  a->non_negative = f.flag("non_negative");
}

template <typename Fields>
void read(Fields& f, const KernelSet& set, QuantizeHeads* a) {
  a->heads = f.positive("heads");
  a->width = f.positive("width");
  a->rows = f.matrix("x", &a->x, &a->x_stride, {0, a->heads * a->width}).first;
  f.vector("q", &a->q, a->rows * a->heads * pad16(a->width));
  f.vector("scale", &a->scale, a->rows * a->heads);
  if (f.has("sum")) f.vector("sum", &a->sum, a->rows * a->heads);
  a->offset = set.gemm_s8_offset;
}

template <typename Fields>
void read(Fields& f, const KernelSet&, LayerNorm* a) {
  a->n = f.positive("n");
  a->rows = f.matrix("x", &a->x, &a->x_stride, {0, pad16(a->n)}).first;
  f.vector("weight", &a->weight, pad16(a->n));
  f.vector("bias", &a->bias, pad16(a->n));
  a->eps = f.template number<float>("eps");
}

template <typename Fields>
void read(Fields& f, const KernelSet&, Softmax* a) {
  a->keys = f.positive("keys");
  a->rows = f.matrix("s", &a->s, &a->s_stride, {0, pad16(a->keys)}).first;
  f.vector("inverse", &a->inverse, a->rows);
  if (f.has("first_keys")) {
    a->first_keys = f.positive("first_keys");
    if (a->first_keys + a->rows > a->keys + 1) refuse("first_keys", "at most keys in the last row");
  }
  if (!f.has("mask")) return;
  const std::size_t masks = f.matrix("mask", &a->mask, &a->mask_stride, {1, a->keys}).first;
  if (masks == 1) a->mask_stride = 0;
  if (masks != 1 && masks < a->rows) refuse("mask", "one row, or as many as s");
}

template <typename Fields>
void read(Fields& f, const KernelSet& set, SoftmaxS8* a) {
  read(f, set, &a->scores);
  f.vector("s_scale", &a->s_scale, a->scores.rows);
  a->s_scale_stride = 1;
  f.vector("value_scale", &a->value_scale, pad16(a->scores.keys));
  f.matrix("p", &a->p, &a->p_stride, {a->scores.rows, pad16(a->scores.keys)});
  f.vector("factor", &a->factor, a->scores.rows);
}

template <typename Fields>
void read(Fields& f, const KernelSet&, Context* a) {
  std::tie(a->rows, a->n) = f.matrix("x", &a->x, &a->x_stride);
  f.vector("factor", &a->factor, a->rows);
  f.matrix("y", &a->y, &a->y_stride, {a->rows, a->n});
}

template <typename Fields>
void read(Fields& f, const KernelSet&, Activate* a) {
  std::tie(a->rows, a->n) = f.matrix("x", &a->x, &a->x_stride);
  expect_multiple_of_16(a->n, "n");
  if (f.has("scale")) f.vector("scale", &a->scale, a->n);
}

// f: the fields of one call, which `operation` of the set is made with.
template <typename Fields>
void run_kernel(std::string_view operation, const KernelSet& set, Fields& f, std::size_t calls) {
  const auto run = [&]<typename Arguments>(Kernel<Arguments> kernel) {
    Arguments arguments{};
    read(f, set, &arguments);
    f.expect_none_left();
    for (std::size_t i = 0; i < calls; ++i) kernel(arguments);
  };
#define MBRT_RUN(name, Arguments) \
  if (operation == #name) return run(set.name);
#define MBRT_RUN_ACTIVATION(enumerator, name)                           \
  if (operation == "activate_" #name) {                                 \
    return run(set.activate[static_cast<int>(Activation::enumerator)]); \
  }
  MBRT_RUN(gemm_s8, GemmS8)
  MBRT_RUN(gemm_f32, GemmF32)
  MBRT_ROW_OPERATIONS(MBRT_RUN)
  MBRT_ACTIVATIONS(MBRT_RUN_ACTIVATION)
#undef MBRT_RUN
#undef MBRT_RUN_ACTIVATION
  throw InputError("operation: \"" + std::string(operation) + "\" is not listed in kernels.inc");
}

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_KERNEL_ARGUMENTS_H_
