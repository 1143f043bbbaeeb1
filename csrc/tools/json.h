// A JSON value, and its text.
#ifndef MBRT_TOOLS_JSON_H_
#define MBRT_TOOLS_JSON_H_

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mbrt::tools {

struct Json {
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;  // in the order of its keys

  Json(std::nullptr_t) {}  // null
  Json(bool boolean) : value(boolean) {}
  Json(double number) : value(number) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Json(T number) : value(std::uint64_t{number}) {}
  Json(const char* text) : value(std::string(text)) {}
  Json(std::string text) : value(std::move(text)) {}  // UTF-8
  Json(Array values) : value(std::move(values)) {}
  Json(Object members) : value(std::move(members)) {}
  template <typename T>
  Json(const std::optional<T>& optional) : Json(optional ? Json(*optional) : Json(nullptr)) {}

  // On one line. Numbers have nine digits: enough to tell every float from its neighbours. Throws
  // Error for a number that is not finite.
  std::string text() const;

  std::variant<std::nullptr_t, bool, std::uint64_t, double, std::string, Array, Object> value;
};

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_JSON_H_
