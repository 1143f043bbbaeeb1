// The keyword arguments of a call from Python.
#ifndef MBRT_BINDINGS_KEYWORDS_H_
#define MBRT_BINDINGS_KEYWORDS_H_

#include <pybind11/pybind11.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace mbrt::bindings {

template <typename T>
struct Choice {
  std::string_view name;
  T value;
};

// The name of a value that is among the choices.
template <typename T, std::size_t kCount>
std::string_view name_in(const Choice<T> (&choices)[kCount], T value) {
  for (const Choice<T>& choice : choices) {
    if (choice.value == value) return choice.name;
  }
  return {};
}

// None counts as not given, so that every default is that of the C++ code.
class Keywords {
 public:
  explicit Keywords(const pybind11::kwargs& given) : left_(given.attr("copy")()) {}

  // The argument, or None. It lives as long as the dict that was given.
  pybind11::object take(const char* name) { return left_.attr("pop")(name, pybind11::none()); }

  template <typename T>
  std::optional<T> take_as(const char* name) {
    const pybind11::object value = take(name);
    if (value.is_none()) return std::nullopt;
    return value.cast<T>();
  }

  // A whole number. InputError when it is below `min`.
  std::optional<std::size_t> take_size(const char* name, std::size_t min);

  // One of a few names. InputError for any other.
  template <typename T, std::size_t kCount>
  std::optional<T> take_choice(const char* name, const Choice<T> (&choices)[kCount]) {
    const pybind11::object value = take(name);
    if (value.is_none()) return std::nullopt;
    std::string known;
    for (const auto& [text, choice] : choices) {
      if (pybind11::isinstance<pybind11::str>(value) && value.cast<std::string_view>() == text) {
        return choice;
      }
      known += (known.empty() ? "" : ", ") + std::string(text);
    }
    throw InputError(std::string(name) + " is " + std::string(pybind11::repr(value)) +
                     "; it can be " + known + ".");
  }

  // TypeError when an argument was not taken.
  void finish() const;

 private:
  pybind11::dict left_;
};

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_KEYWORDS_H_
