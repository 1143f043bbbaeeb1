// The keyword arguments of a call from Python.
#ifndef MBRT_BINDINGS_KEYWORDS_H_
#define MBRT_BINDINGS_KEYWORDS_H_

#include <pybind11/pybind11.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

// A value in messages: its repr, shortened.
std::string shown(const pybind11::handle& value);

// None counts as not given, so that every default is that of the C++ code. A value of a wrong type and one
// that makes no sense is an InputError that names the argument, what was found and what is expected.
class Keywords {
 public:
  explicit Keywords(const pybind11::kwargs& given) : left_(given.attr("copy")()) {}

  // The argument, or None. It lives as long as the dict that was given.
  pybind11::object take(const char* name) { return left_.attr("pop")(name, pybind11::none()); }

  // expected: what the value should be, in messages.
  template <typename T>
  std::optional<T> take_as(const char* name, const char* expected) {
    const pybind11::object value = take(name);
    if (value.is_none()) return std::nullopt;
    pybind11::detail::make_caster<T> caster;
    if (!caster.load(value, true)) refuse(name, value, expected);
    return pybind11::detail::cast_op<T>(std::move(caster));
  }

  // True or False; no number. public_name: in messages, where it is another one.
  std::optional<bool> take_flag(const char* name, const char* public_name = nullptr);

  // A whole number of at least `min`; no bool.
  std::optional<std::size_t> take_size(const char* name, std::size_t min);

  // A number of at least `min`; neither NaN nor a bool.
  std::optional<double> take_number(const char* name, double min, const char* expected);

  bool has_text(const char* name) const {
    return left_.contains(name) && pybind11::isinstance<pybind11::str>(left_[name]);
  }
  // A str, or several in any iterable.
  std::optional<std::vector<std::string>> take_texts(const char* name);

  // One of a few names.
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
    throw InputError(std::string(name) + ": found " + shown(value) + "; expected " + known + ".");
  }

  // InputError when two arguments that mean the same are both given.
  void check_one_of(const char* first, const char* second) const;

  // TypeError when an argument was not taken.
  void finish() const;

 private:
  [[noreturn]] static void refuse(const char* name, const pybind11::handle& value,
                                  const std::string& expected);

  pybind11::dict left_;
};

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_KEYWORDS_H_
