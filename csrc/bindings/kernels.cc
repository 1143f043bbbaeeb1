// mobilebert_rt._core.kernels: every kernel, one call each, for the tests and the micro-benchmarks.
//
// Arrays are used where they lie (a test may end them at an unreadable page) and are never
// converted or copied. Each function checks that they are as large as the kernel's contract says,
// and runs the kernel `calls` times: one run of a small product is shorter than a call from Python.
#include "kernels/kernels.h"

#include <optional>
#include <string>

#include "base/error.h"
#include "base/lanes.h"
#include "bindings/bindings.h"

namespace mbrt::bindings {
namespace py = pybind11;
using namespace py::literals;

namespace {

template <typename T>
using Array = py::array_t<T, 0>;
template <typename T>
using Optional = std::optional<Array<T>>;

[[noreturn]] void refuse(const char* name, const std::string& needs) {
  throw InputError(std::string(name) + ": the kernel's contract needs " + needs);
}

// A [rows][>= columns] array whose rows are contiguous.
template <typename T>
struct Matrix {
  Matrix(const Array<T>& array, const char* name) : data(const_cast<T*>(array.data())) {
    if (array.ndim() != 2 || array.strides(1) != py::ssize_t{sizeof(T)} ||
        array.strides(0) % py::ssize_t{sizeof(T)} != 0) {
      refuse(name, "a matrix with contiguous rows");
    }
    rows = static_cast<std::size_t>(array.shape(0));
    columns = static_cast<std::size_t>(array.shape(1));
    stride = static_cast<std::size_t>(array.strides(0)) / sizeof(T);
  }
  void need(std::size_t rows_, std::size_t columns_, const char* name) const {
    if (rows >= rows_ && columns >= columns_) return;
    refuse(name, "[" + std::to_string(rows_) + "][" + std::to_string(columns_) + "]");
  }
  T* data;
  std::size_t rows, columns, stride;
};

template <typename T>
T* vector_of(const Array<T>& array, std::size_t size, const char* name) {
  if (static_cast<std::size_t>(array.size()) < size || !(array.flags() & py::array::c_style)) {
    refuse(name, std::to_string(size) + " contiguous values");
  }
  return const_cast<T*>(array.data());
}

template <typename T>
T* vector_of(const Optional<T>& array, std::size_t size, const char* name) {
  return array ? vector_of(*array, size, name) : nullptr;
}

void multiple_of_16(std::size_t n, const char* name) {
  if (n == 0 || n % 16 != 0) refuse(name, "a positive multiple of 16");
}

struct Residual {
  Residual(bool wanted, const Optional<float>& rows, const Optional<float>& scales, std::size_t m,
           std::size_t n) {
    if (!wanted) return;
    if (!rows || !scales) refuse("residual", "residual and residual_scale");
    const Matrix<float> matrix(*rows, "residual");
    matrix.need(m, n, "residual");
    data = matrix.data;
    stride = matrix.stride;
    scale = vector_of(*scales, n, "residual_scale");
  }
  const float* data = nullptr;
  const float* scale = nullptr;
  std::size_t stride = 0;
};

template <typename Arguments>
void repeat(void (*kernel)(const Arguments&), std::size_t calls, const Arguments& arguments) {
  for (std::size_t i = 0; i < calls; ++i) kernel(arguments);
}

Epilogue epilogue_of(int number) {
  if (number >= 0 && number < kEpilogueCount) return static_cast<Epilogue>(number);
  refuse("epilogue", "0 .. " + std::to_string(kEpilogueCount - 1));
}

void run_gemm_s8(const std::string& isa, int number, const Array<std::uint8_t>& a,
                 const Array<float>& a_scale, const Array<float>& a_shift,
                 const Array<std::int8_t>& w, const Optional<std::int32_t>& compensation,
                 const Array<float>& w_scale, const Array<float>& w_sum, const Array<float>& bias,
                 const Optional<float>& residual, const Optional<float>& residual_scale,
                 const Array<float>& out, bool non_negative, std::size_t calls) {
  const KernelSet& set = kernel_set(isa);
  const Epilogue epilogue = epilogue_of(number);
  const Matrix<std::uint8_t> in(a, "a");
  const std::size_t m = in.rows, k = in.columns;
  const Matrix<float> to(out, "out");
  const std::size_t n = static_cast<std::size_t>(w_scale.size());
  multiple_of_16(n, "n");
  multiple_of_16(k, "k");
  if (k > kDeepestS8) refuse("k", "at most " + std::to_string(kDeepestS8));
  to.need(m, n, "out");
  if (set.gemm_s8_offset != 0 && !compensation) refuse("compensation", "column sums");
  const Residual added(epilogue == Epilogue::kResidual, residual, residual_scale, m, n);
  GemmS8 product{epilogue,
                 m,
                 n,
                 k,
                 in.data,
                 in.stride,
                 vector_of(a_scale, m, "a_scale"),
                 vector_of(a_shift, m, "a_shift"),
                 vector_of(w, n * k, "w"),
                 vector_of(compensation, n, "compensation"),
                 vector_of(w_scale, n, "w_scale"),
                 vector_of(w_sum, n, "w_sum"),
                 vector_of(bias, n, "bias"),
                 added.data,
                 added.stride,
                 added.scale,
                 to.data,
                 to.stride};
  product.non_negative = non_negative;
  repeat(set.gemm_s8, calls, product);
}

void run_gemm_f32(const std::string& isa, int number, const Array<float>& a, const Array<float>& w,
                  std::size_t n, std::size_t panel_stride, const Optional<float>& bias,
                  const Optional<float>& residual, const Optional<float>& residual_scale,
                  const Array<float>& out, std::size_t calls) {
  const KernelSet& set = kernel_set(isa);
  const Epilogue epilogue = epilogue_of(number);
  const Matrix<float> in(a, "a");
  const std::size_t m = in.rows, k = in.columns;
  const Matrix<float> to(out, "out");
  multiple_of_16(n, "n");
  to.need(m, n, "out");
  if (panel_stride < k * 16) refuse("panel_stride", "at least k * 16");
  const bool is_product = epilogue == Epilogue::kProduct;
  if (!is_product && !bias) refuse("bias", "n values");
  const Residual added(epilogue == Epilogue::kResidual, residual, residual_scale, m, n);
  const float* weights = vector_of(w, (n / 16 - 1) * panel_stride + k * 16, "w");
  repeat(set.gemm_f32, calls,
         GemmF32{epilogue, m, n, k, in.data, in.stride, weights, panel_stride,
                 vector_of(bias, n, "bias"), added.data, added.stride, added.scale, to.data,
                 to.stride});
}

void run_quantize(const std::string& isa, const Array<float>& x, const Array<std::uint8_t>& q,
                  const Array<float>& scale, const Array<float>& shift, bool non_negative,
                  std::size_t calls) {
  const KernelSet& set = kernel_set(isa);
  const Matrix<float> in(x, "x");
  const Matrix<std::uint8_t> to(q, "q");
  multiple_of_16(in.columns, "k");
  to.need(in.rows, in.columns, "q");
  repeat(set.quantize, calls,
         Quantize{in.rows, in.columns, in.data, in.stride, set.gemm_s8_offset, to.data, to.stride,
                  vector_of(scale, in.rows, "scale"), vector_of(shift, in.rows, "shift"),
                  non_negative});
}

void run_quantize_heads(const std::string& isa, std::size_t heads, std::size_t width,
                        const Array<float>& x, const Array<std::uint8_t>& q,
                        const Array<float>& scale, const Optional<std::int32_t>& sum,
                        std::size_t calls) {
  const KernelSet& set = kernel_set(isa);
  const Matrix<float> in(x, "x");
  if (heads == 0 || width == 0) refuse("heads, width", "at least one");
  in.need(in.rows, heads * width, "x");
  const std::size_t parts = in.rows * heads;
  repeat(set.quantize_heads, calls,
         QuantizeHeads{in.rows, heads, width, in.data, in.stride, set.gemm_s8_offset,
                       vector_of(q, parts * pad16(width), "q"), vector_of(scale, parts, "scale"),
                       vector_of(sum, parts, "sum")});
}

void run_layer_norm(const std::string& isa, const Array<float>& x, std::size_t n,
                    const Array<float>& weight, const Array<float>& bias, float eps,
                    std::size_t calls) {
  const Matrix<float> rows(x, "x");
  const std::size_t padded = (n + 15) / 16 * 16;
  if (n == 0) refuse("n", "at least one column");
  rows.need(rows.rows, padded, "x");
  repeat(kernel_set(isa).layer_norm, calls,
         LayerNorm{rows.rows, n, rows.data, rows.stride, vector_of(weight, padded, "weight"),
                   vector_of(bias, padded, "bias"), eps});
}

Softmax checked_softmax(const Array<float>& s, std::size_t keys,
                        const std::optional<Array<std::uint8_t>>& mask,
                        const Array<float>& inverse) {
  const Matrix<float> rows(s, "s");
  if (keys == 0) refuse("keys", "at least one key");
  rows.need(rows.rows, pad16(keys), "s");
  const std::uint8_t* allowed = nullptr;
  std::size_t mask_stride = 0;
  if (mask) {
    const Matrix<std::uint8_t> matrix(*mask, "mask");
    matrix.need(matrix.rows == 1 ? 1 : rows.rows, keys, "mask");
    allowed = matrix.data;
    mask_stride = matrix.rows == 1 ? 0 : matrix.stride;
  }
  return {rows.rows,
          keys,
          rows.data,
          rows.stride,
          allowed,
          mask_stride,
          vector_of(inverse, rows.rows, "inverse")};
}

void run_softmax(const std::string& isa, const Array<float>& s, std::size_t keys,
                 const std::optional<Array<std::uint8_t>>& mask, const Array<float>& inverse,
                 std::size_t calls) {
  repeat(kernel_set(isa).softmax, calls, checked_softmax(s, keys, mask, inverse));
}

void run_softmax_s8(const std::string& isa, const Array<float>& s, std::size_t keys,
                    const std::optional<Array<std::uint8_t>>& mask, const Array<float>& s_scale,
                    const Array<float>& value_scale, const Array<float>& inverse,
                    const Array<std::uint8_t>& p, const Array<float>& factor, std::size_t calls) {
  const Softmax scores = checked_softmax(s, keys, mask, inverse);
  const std::size_t padded = pad16(keys);
  const Matrix<std::uint8_t> to(p, "p");
  to.need(scores.rows, padded, "p");
  repeat(kernel_set(isa).softmax_s8, calls,
         SoftmaxS8{scores, vector_of(s_scale, scores.rows, "s_scale"), 1,
                   vector_of(value_scale, padded, "value_scale"), to.data, to.stride,
                   vector_of(factor, scores.rows, "factor")});
}

void run_context(const std::string& isa, const Array<float>& x, const Array<float>& factor,
                 const Array<float>& y, std::size_t calls) {
  const Matrix<float> in(x, "x");
  const Matrix<float> to(y, "y");
  to.need(in.rows, in.columns, "y");
  repeat(kernel_set(isa).context, calls,
         Context{in.rows, in.columns, in.data, in.stride, vector_of(factor, in.rows, "factor"),
                 to.data, to.stride});
}

void run_activate(const std::string& isa, int activation, const Array<float>& x,
                  const Optional<float>& scale, std::size_t calls) {
  if (activation < 0 || activation >= kActivationCount) refuse("activation", "a known one");
  const Matrix<float> rows(x, "x");
  multiple_of_16(rows.columns, "n");
  repeat(kernel_set(isa).activate[activation], calls,
         Activate{rows.rows, rows.columns, rows.data, rows.stride,
                  vector_of(scale, rows.columns, "scale")});
}

// The one list of kernels, as Python sees it.
py::list list_kernels() {
  py::list list;
#define MBRT_GEMM(operation, name, rows, columns, target, packing, offset)           \
  list.append(py::dict("operation"_a = #operation, "name"_a = #operation "_" #name,  \
                       "rows"_a = rows, "columns"_a = columns, "target"_a = #target, \
                       "packing"_a = #packing, "offset"_a = offset));
#include "kernels/kernels.inc"
#undef MBRT_GEMM
  return list;
}

// Which kernels a set is made of.
py::dict describe_set(const std::string& isa) {
  const KernelSet& set = kernel_set(isa);
  return py::dict("isa"_a = set.isa, "gemm_s8"_a = set.gemm_s8_name,
                  "gemm_s8_offset"_a = set.gemm_s8_offset, "gemm_f32"_a = set.gemm_f32_name);
}

}  // namespace

void bind_kernels(py::module_& parent) {
  py::module_ module = parent.def_submodule("kernels", "Single kernels, for tests and benchmarks.");
  module.def("list_kernels", &list_kernels);
  module.def("describe_set", &describe_set, "isa"_a);
  module.def("gemm_s8", &run_gemm_s8, "isa"_a, "epilogue"_a, "a"_a.noconvert(),
             "a_scale"_a.noconvert(), "a_shift"_a.noconvert(), "w"_a.noconvert(),
             "compensation"_a.noconvert(), "w_scale"_a.noconvert(), "w_sum"_a.noconvert(),
             "bias"_a.noconvert(), "residual"_a.noconvert(), "residual_scale"_a.noconvert(),
             "out"_a.noconvert(), "non_negative"_a = false, "calls"_a = 1);
  module.def("gemm_f32", &run_gemm_f32, "isa"_a, "epilogue"_a, "a"_a.noconvert(), "w"_a.noconvert(),
             "n"_a, "panel_stride"_a, "bias"_a.noconvert(), "residual"_a.noconvert(),
             "residual_scale"_a.noconvert(), "out"_a.noconvert(), "calls"_a = 1);
  module.def("quantize", &run_quantize, "isa"_a, "x"_a.noconvert(), "q"_a.noconvert(),
             "scale"_a.noconvert(), "shift"_a.noconvert(), "non_negative"_a = false, "calls"_a = 1);
  module.def("quantize_heads", &run_quantize_heads, "isa"_a, "heads"_a, "width"_a,
             "x"_a.noconvert(), "q"_a.noconvert(), "scale"_a.noconvert(), "sum"_a.noconvert(),
             "calls"_a = 1);
  module.def("layer_norm", &run_layer_norm, "isa"_a, "x"_a.noconvert(), "n"_a,
             "weight"_a.noconvert(), "bias"_a.noconvert(), "eps"_a, "calls"_a = 1);
  module.def("softmax", &run_softmax, "isa"_a, "s"_a.noconvert(), "keys"_a, "mask"_a.noconvert(),
             "inverse"_a.noconvert(), "calls"_a = 1);
  module.def("softmax_s8", &run_softmax_s8, "isa"_a, "s"_a.noconvert(), "keys"_a,
             "mask"_a.noconvert(), "s_scale"_a.noconvert(), "value_scale"_a.noconvert(),
             "inverse"_a.noconvert(), "p"_a.noconvert(), "factor"_a.noconvert(), "calls"_a = 1);
  module.def("context", &run_context, "isa"_a, "x"_a.noconvert(), "factor"_a.noconvert(),
             "y"_a.noconvert(), "calls"_a = 1);
  module.def("activate", &run_activate, "isa"_a, "activation"_a, "x"_a.noconvert(),
             "scale"_a.noconvert(), "calls"_a = 1);
  module.def(
      "peak_s8",
      [](const std::string& isa, std::size_t iterations) {
        return kernel_set(isa).peak_s8(iterations);
      },
      "isa"_a, "iterations"_a, "Multiply-accumulates done; time it to know the peak.");
  module.def(
      "peak_f32",
      [](const std::string& isa, std::size_t iterations) {
        return kernel_set(isa).peak_f32(iterations);
      },
      "isa"_a, "iterations"_a);
}

}  // namespace mbrt::bindings
