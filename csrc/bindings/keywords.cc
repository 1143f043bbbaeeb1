#include "bindings/keywords.h"

#include <cmath>

namespace mbrt::bindings {
namespace py = pybind11;

std::string shown(const py::handle& value) {
  constexpr std::size_t kCharacters = 60;
  const py::str text = py::repr(value);
  if (py::len(text) <= kCharacters) return text;
  return std::string(py::str(text[py::slice(0, kCharacters, 1)])) + "...";
}

void Keywords::refuse(const char* name, const py::handle& value, const std::string& expected) {
  throw InputError(std::string(name) + ": found " + shown(value) + "; expected " + expected + ".");
}

std::optional<bool> Keywords::take_flag(const char* name, const char* public_name) {
  const py::object value = take(name);
  if (value.is_none()) return std::nullopt;
  py::detail::make_caster<bool> caster;
  if (!caster.load(value, false)) {
    refuse(public_name == nullptr ? name : public_name, value, "True or False");
  }
  return static_cast<bool>(caster);
}

std::optional<std::size_t> Keywords::take_size(const char* name, std::size_t min) {
  const py::object value = take(name);
  if (value.is_none()) return std::nullopt;
  PyObject* const index = PyBool_Check(value.ptr()) != 0 ? nullptr : PyNumber_Index(value.ptr());
  const auto number = py::reinterpret_steal<py::object>(index);
  if (!number) {
    PyErr_Clear();
    refuse(name, value, "a whole number");
  }
  if (number < py::int_(min)) refuse(name, number, "at least " + std::to_string(min));
  const std::size_t size = PyLong_AsSize_t(number.ptr());
  if (PyErr_Occurred() == nullptr) return size;
  PyErr_Clear();
  refuse(name, number, "a number of 64 bits");
}

std::optional<double> Keywords::take_number(const char* name, double min, const char* expected) {
  const py::object value = take(name);
  if (value.is_none()) return std::nullopt;
  double number = PyBool_Check(value.ptr()) != 0 ? NAN : PyFloat_AsDouble(value.ptr());
  if (PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    number = NAN;
  }
  if (!(number >= min)) refuse(name, value, expected);
  return number;
}

std::optional<std::vector<std::string>> Keywords::take_texts(const char* name) {
  const py::object value = take(name);
  if (value.is_none()) return std::nullopt;
  const auto refuse_text = [&](const py::handle& found) {
    refuse(name, found, "a text or a list of texts");
  };
  std::vector<std::string> texts;
  const auto add = [&](const py::handle& text) {
    const char* const utf8 = py::isinstance<py::str>(text) ? PyUnicode_AsUTF8(text.ptr()) : nullptr;
    if (utf8 == nullptr) {
      PyErr_Clear();
      refuse_text(text);
    }
    texts.emplace_back(utf8);
  };
  if (py::isinstance<py::str>(value)) {
    add(value);
  } else if (py::isinstance<py::iterable>(value)) {
    for (const py::handle text : value) add(text);
  } else {
    refuse_text(value);
  }
  return texts;
}

void Keywords::check_one_of(const char* first, const char* second) const {
  const auto given = [&](const char* name) {
    return left_.contains(name) && !left_[name].is_none();
  };
  if (!given(first) || !given(second)) return;
  throw InputError(std::string(first) + " and " + second + " are both given; give one of them.");
}

void Keywords::finish() const {
  for (const auto& [name, value] : left_) {
    throw py::type_error("unexpected keyword argument '" + std::string(py::str(name)) + "'");
  }
}

}  // namespace mbrt::bindings
