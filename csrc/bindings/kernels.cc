// mobilebert_rt._core.kernels: every kernel of kernels.inc by its name, for the tests and the
// micro-benchmarks.
//
// A kernel's arguments are given by the field names of its argument struct. Arrays are used where
// they lie (a test may end them at an unreadable page), never converted or copied. Each is checked
// to be as large as the kernel's contract says.
#include "kernels/kernels.h"

#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/kernel_arguments.h"

namespace mbrt::bindings {
namespace py = pybind11;
using namespace py::literals;

namespace {

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

// One run of a small product is shorter than a call from Python: hence `calls`.
void run(const std::string& operation, const std::string& isa, std::size_t calls,
         const py::kwargs& values) {
  Fields fields(values);
  run_kernel(operation, kernel_set(isa), fields, calls);
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
