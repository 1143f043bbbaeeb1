#include "tools/json.h"

#include <cmath>
#include <string_view>

#include "base/error.h"
#include "tools/output.h"

namespace mbrt::tools {
namespace {

std::string quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') quoted += '\\';
    if (code < 0x20) {
      quoted += formatted("\\u%04x", static_cast<unsigned>(code));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

struct Writer {
  std::string operator()(std::nullptr_t) const { return "null"; }
  std::string operator()(bool boolean) const { return boolean ? "true" : "false"; }
  std::string operator()(std::uint64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const {
    if (!std::isfinite(number)) throw Error("JSON output: found a number that is not finite.");
    return formatted("%.9g", number);
  }
  std::string operator()(const std::string& text) const { return quoted(text); }
  std::string operator()(const Json::Array& values) const {
    std::string text;
    for (const Json& value : values) text += (text.empty() ? "" : ", ") + value.text();
    return "[" + text + "]";
  }
  std::string operator()(const Json::Object& members) const {
    std::string text;
    for (const auto& [name, value] : members) {
      text += (text.empty() ? "" : ", ") + quoted(name) + ": " + value.text();
    }
    return "{" + text + "}";
  }
};

}  // namespace

std::string Json::text() const { return std::visit(Writer(), value); }

}  // namespace mbrt::tools
