#include "bindings/keywords.h"

namespace mbrt::bindings {
namespace py = pybind11;

std::optional<std::size_t> Keywords::take_size(const char* name, std::size_t min) {
  const py::object value = take(name);
  if (value.is_none()) return std::nullopt;
  const py::object number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!number) {
    PyErr_Clear();
    throw InputError(std::string(name) + " is " + std::string(py::repr(value)) +
                     "; it should be a whole number.");
  }
  if (number < py::int_(min)) {
    throw InputError(std::string(name) + " is " + std::string(py::str(number)) +
                     "; it should be at least " + std::to_string(min) + ".");
  }
  const std::size_t size = PyLong_AsSize_t(number.ptr());
  if (PyErr_Occurred() == nullptr) return size;
  PyErr_Clear();
  throw InputError(std::string(name) + " is " + std::string(py::str(number)) +
                   "; it is too large.");
}

void Keywords::finish() const {
  for (const auto& [name, value] : left_) {
    throw py::type_error("unexpected keyword argument '" + std::string(py::str(name)) + "'");
  }
}

}  // namespace mbrt::bindings
