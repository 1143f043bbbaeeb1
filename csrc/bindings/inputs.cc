#include "bindings/inputs.h"

#include <cstdio>
#include <string>
#include <utility>

#include "base/error.h"

namespace mbrt::bindings {
namespace py = pybind11;
namespace {

std::string input_name(std::size_t number) { return "input " + std::to_string(number); }

[[noreturn]] void refuse_surrogate(const py::handle& value, const py::error_already_set& error,
                                   std::size_t number) {
  if (!error.matches(PyExc_UnicodeEncodeError)) throw error;
  const auto at = error.value().attr("start").cast<Py_ssize_t>();
  char code[16];
  std::snprintf(code, sizeof(code), "U+%04X",
                static_cast<unsigned>(PyUnicode_ReadChar(value.ptr(), at)));
  throw InputError(input_name(number) + " has a lone surrogate (" + code + ") at character " +
                   std::to_string(at) + "; expected text that was decoded as UTF-8.");
}

std::string_view view_of(const py::handle& value, std::size_t number) {
  if (PyBytes_Check(value.ptr()) != 0) {
    throw InputError(input_name(number) + " is bytes, not text. Decode it: data.decode('utf-8').");
  }
  if (!py::isinstance<py::str>(value)) {
    throw InputError(input_name(number) + " is " + Py_TYPE(value.ptr())->tp_name +
                     ", not text. Give a str, or a pair of them as a tuple.");
  }
  Py_ssize_t size = 0;
  const char* const data = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (data == nullptr) refuse_surrogate(value, py::error_already_set(), number);
  return {data, static_cast<std::size_t>(size)};
}

text::Text text_of(const py::handle& value, std::size_t number) {
  if (!PyTuple_Check(value.ptr())) return {view_of(value, number), {}};
  const auto pair = py::reinterpret_borrow<py::tuple>(value);
  if (pair.size() != 2) {
    throw InputError(input_name(number) + " is a tuple of " + std::to_string(pair.size()) +
                     " items. A tuple is a pair of two texts; give several texts as a list.");
  }
  return {view_of(pair[0], number), view_of(pair[1], number)};
}

}  // namespace

Inputs::Inputs(py::tuple texts, std::size_t first_index) : texts_(std::move(texts)) {
  views_.reserve(texts_.size());
  for (const py::handle value : texts_)
    views_.push_back(text_of(value, first_index + views_.size()));
}

}  // namespace mbrt::bindings
