// mobilebert_rt._core.kernels: every kernel of kernels.inc by its name, for the tests and the
// micro-benchmarks.
//
// A kernel's arguments are given by the field names of its argument struct. Arrays are used where
// they lie (a test may end them at an unreadable page), never converted or copied. Each is checked
// to be as large as the kernel's contract says.
#include "kernels/kernels.h"

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/lanes.h"
#include "bindings/bindings.h"

namespace mbrt::bindings {
namespace py = pybind11;
using namespace py::literals;

namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& expected) {
  throw InputError(name + ": the kernel's contract needs " + expected);
}

void expect_multiple_of_16(std::size_t n, const char* name) {
  if (n == 0 || n % kLanes != 0) refuse(name, "a positive multiple of 16");
}

// The arguments of one call, by name. Each is taken once, and none may be left.
class Fields {
 public:
  explicit Fields(py::kwargs values) : values_(std::move(values)) {}

  using Shape = std::pair<std::size_t, std::size_t>;

  // Rows of contiguous values, at least min of them; returns what there is.
  template <typename T>
  Shape matrix(const char* name, T** data, std::size_t* stride, Shape min = {0, 0}) {
    const py::array array = take_array(name, data);
    if (array.ndim() != 2 || array.strides(1) != array.itemsize() ||
        array.strides(0) % array.itemsize() != 0) {
      refuse(name, "a matrix with contiguous rows");
    }
    const Shape shape(array.shape(0), array.shape(1));
    if (shape.first < min.first || shape.second < min.second) {
      refuse(name, "[" + std::to_string(min.first) + "][" + std::to_string(min.second) + "]");
    }
    *stride = static_cast<std::size_t>(array.strides(0)) / sizeof(T);
    return shape;
  }

  template <typename T>
  void vector(const char* name, T** data, std::size_t min) {
    const py::array array = take_array(name, data);
    if (static_cast<std::size_t>(array.size()) < min || !(array.flags() & py::array::c_style)) {
      refuse(name, std::to_string(min) + " contiguous values");
    }
  }

  bool has(const char* name) const { return values_.contains(name) && !values_[name].is_none(); }

  template <typename T = std::size_t>
  T number(const char* name) {
    return py::cast<T>(take(name));
  }
  std::size_t positive(const char* name) {
    const auto n = number(name);
    if (n == 0) refuse(name, "at least 1");
    return n;
  }
  bool flag(const char* name) { return has(name) && number<bool>(name); }

  void expect_none_left() const {
    for (const auto& [name, value] : values_) {
      if (!value.is_none()) refuse(py::cast<std::string>(name), "no such field");
    }
  }

 private:
  py::object take(const char* name) {
    if (!has(name)) refuse(name, "this field");
    taken_.push_back(values_.attr("pop")(name));
    return taken_.back();
  }
  template <typename T>
  py::array take_array(const char* name, T** data) {
    using Value = std::remove_const_t<T>;
    const py::object value = take(name);
    if (!py::isinstance<py::array_t<Value>>(value)) {
      refuse(name, "an array of " + py::cast<std::string>(py::dtype::of<Value>().attr("name")));
    }
    auto array = py::reinterpret_borrow<py::array>(value);
    *data = static_cast<T*>(const_cast<void*>(array.data()));
    return array;
  }

  py::kwargs values_;
  std::vector<py::object> taken_;  // alive while the kernel runs
};

// One overload for each argument struct.

// What both products have.
template <typename Gemm>
void read_gemm(Fields& f, Gemm* g) {
  const auto epilogue = f.number<int>("epilogue");
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

void read(Fields& f, const KernelSet&, GemmF32* g) {
  read_gemm(f, g);
  g->panel_stride = f.number("panel_stride");
  if (g->panel_stride < g->k * kLanes) refuse("panel_stride", "at least k * 16");
  f.vector("w", &g->w, (g->n / kLanes - 1) * g->panel_stride + g->k * kLanes);
}

void read(Fields& f, const KernelSet& set, Quantize* a) {
  std::tie(a->rows, a->k) = f.matrix("x", &a->x, &a->x_stride);
  expect_multiple_of_16(a->k, "k");
  f.matrix("q", &a->q, &a->q_stride, {a->rows, a->k});
  f.vector("scale", &a->scale, a->rows);
  f.vector("shift", &a->shift, a->rows);
  a->offset = set.gemm_s8_offset;
  a->non_negative = f.flag("non_negative");
}

void read(Fields& f, const KernelSet& set, QuantizeHeads* a) {
  a->heads = f.positive("heads");
  a->width = f.positive("width");
  a->rows = f.matrix("x", &a->x, &a->x_stride, {0, a->heads * a->width}).first;
  f.vector("q", &a->q, a->rows * a->heads * pad16(a->width));
  f.vector("scale", &a->scale, a->rows * a->heads);
  if (f.has("sum")) f.vector("sum", &a->sum, a->rows * a->heads);
  a->offset = set.gemm_s8_offset;
}

void read(Fields& f, const KernelSet&, LayerNorm* a) {
  a->n = f.positive("n");
  a->rows = f.matrix("x", &a->x, &a->x_stride, {0, pad16(a->n)}).first;
  f.vector("weight", &a->weight, pad16(a->n));
  f.vector("bias", &a->bias, pad16(a->n));
  a->eps = f.number<float>("eps");
}

void read(Fields& f, const KernelSet&, Softmax* a) {
  a->keys = f.positive("keys");
  a->rows = f.matrix("s", &a->s, &a->s_stride, {0, pad16(a->keys)}).first;
  f.vector("inverse", &a->inverse, a->rows);
  if (!f.has("mask")) return;
  const std::size_t masks = f.matrix("mask", &a->mask, &a->mask_stride, {1, a->keys}).first;
  if (masks == 1) a->mask_stride = 0;
  if (masks != 1 && masks < a->rows) refuse("mask", "one row, or as many as s");
}

void read(Fields& f, const KernelSet& set, SoftmaxS8* a) {
  read(f, set, &a->scores);
  f.vector("s_scale", &a->s_scale, a->scores.rows);
  a->s_scale_stride = 1;
  f.vector("value_scale", &a->value_scale, pad16(a->scores.keys));
  f.matrix("p", &a->p, &a->p_stride, {a->scores.rows, pad16(a->scores.keys)});
  f.vector("factor", &a->factor, a->scores.rows);
}

void read(Fields& f, const KernelSet&, Context* a) {
  std::tie(a->rows, a->n) = f.matrix("x", &a->x, &a->x_stride);
  f.vector("factor", &a->factor, a->rows);
  f.matrix("y", &a->y, &a->y_stride, {a->rows, a->n});
}

void read(Fields& f, const KernelSet&, Activate* a) {
  std::tie(a->rows, a->n) = f.matrix("x", &a->x, &a->x_stride);
  expect_multiple_of_16(a->n, "n");
  if (f.has("scale")) f.vector("scale", &a->scale, a->n);
}

template <typename Arguments>
void run_kernel(Kernel<Arguments> kernel, const KernelSet& set, const py::kwargs& values,
                std::size_t calls) {
  Fields fields(values);
  Arguments arguments{};
  read(fields, set, &arguments);
  fields.expect_none_left();
  for (std::size_t i = 0; i < calls; ++i) kernel(arguments);
}

// One run of a small product is shorter than a call from Python: hence `calls`.
void run(const std::string& operation, const std::string& isa, std::size_t calls,
         const py::kwargs& values) {
  const KernelSet& set = kernel_set(isa);
#define MBRT_RUN(name, Arguments) \
  if (operation == #name) return run_kernel<Arguments>(set.name, set, values, calls);
#define MBRT_RUN_ACTIVATION(enumerator, name)                                                      \
  if (operation == "activate_" #name) {                                                            \
    return run_kernel(set.activate[static_cast<int>(Activation::enumerator)], set, values, calls); \
  }
  MBRT_RUN(gemm_s8, GemmS8)
  MBRT_RUN(gemm_f32, GemmF32)
  MBRT_ROW_OPERATIONS(MBRT_RUN)
  MBRT_ACTIVATIONS(MBRT_RUN_ACTIVATION)
#undef MBRT_RUN
#undef MBRT_RUN_ACTIVATION
  throw InputError("operation: \"" + operation + "\" is not listed in kernels.inc");
}

py::list list_gemms() {
  py::list list;
#define MBRT_GEMM(operation, name, rows, columns, target, packing, offset)           \
  list.append(py::dict("operation"_a = #operation, "name"_a = #operation "_" #name,  \
                       "rows"_a = rows, "columns"_a = columns, "target"_a = #target, \
                       "packing"_a = #packing, "offset"_a = offset));
#include "kernels/kernels.inc"
  return list;
}

py::list list_row_operations() {
  py::list list;
#define MBRT_NAME(operation, Arguments) list.append(#operation);
#define MBRT_ACTIVATION_NAME(enumerator, name) list.append("activate_" #name);
  MBRT_ROW_OPERATIONS(MBRT_NAME)
  MBRT_ACTIVATIONS(MBRT_ACTIVATION_NAME)
#undef MBRT_NAME
#undef MBRT_ACTIVATION_NAME
  return list;
}

py::dict describe_set(const std::string& isa) {
  const KernelSet& set = kernel_set(isa);
  return py::dict("isa"_a = set.isa, "gemm_s8"_a = set.gemm_s8_name,
                  "gemm_s8_offset"_a = set.gemm_s8_offset, "gemm_f32"_a = set.gemm_f32_name);
}

}  // namespace

void bind_kernels(py::module_& parent) {
  py::module_ module = parent.def_submodule("kernels", "Single kernels, for tests and benchmarks.");
  module.def("run", &run, "operation"_a, "isa"_a, py::kw_only(), "calls"_a = 1);
  module.def("list_gemms", &list_gemms);
  module.def("list_row_operations", &list_row_operations);
  module.def("describe_set", &describe_set, "isa"_a);
  module.def(
      "peak_s8", [](const std::string& isa, std::size_t n) { return kernel_set(isa).peak_s8(n); },
      "isa"_a, "iterations"_a);
  module.def(
      "peak_f32", [](const std::string& isa, std::size_t n) { return kernel_set(isa).peak_f32(n); },
      "isa"_a, "iterations"_a);
}

}  // namespace mbrt::bindings
