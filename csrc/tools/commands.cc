#include "tools/commands.h"

#include <algorithm>

namespace mbrt::tools {
namespace {

std::string cell(const Json& json) {
  if (const auto* text = std::get_if<std::string>(&json.value)) return padded(one_line(*text), 12);
  if (const auto* number = std::get_if<double>(&json.value)) return formatted("%7.4f", *number);
  return json.text();
}

// One line per result behind the prefix. Lists in a list are numbered; a vector is shortened.
std::string lines_of(const std::string& prefix, const Json& results) {
  if (const auto* members = std::get_if<Json::Object>(&results.value)) {
    std::string line = prefix;
    for (const auto& [name, value] : *members) line += "  " + cell(value);
    return line + "\n";
  }
  const auto& values = std::get<Json::Array>(results.value);
  if (!values.empty() && std::holds_alternative<double>(values[0].value)) {
    std::string line = prefix;
    for (std::size_t i = 0; i < std::min<std::size_t>(values.size(), 4); ++i)
      line += "  " + cell(values[i]);
    return line + formatted("  ... (%zu numbers)\n", values.size());
  }
  std::string lines;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool is_list = std::holds_alternative<Json::Array>(values[i].value);
    lines += lines_of(is_list ? prefix + formatted("  %zu", i + 1) : prefix, values[i]);
  }
  return lines;
}

}  // namespace

void print_result(const Arguments& arguments, std::size_t number, const Json::Object& result) {
  print(arguments.has("--json") ? Json(result).text() + "\n"
                                : lines_of(std::to_string(number + 1), result.back().second));
}

}  // namespace mbrt::tools
