// JSON as Python's json.dumps(..., ensure_ascii=False) writes it, to the character: on one line with
// ", " and ": ", or indented by two.
#ifndef MBRT_TOOLS_JSON_WRITER_H_
#define MBRT_TOOLS_JSON_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mbrt::tools {

class JsonWriter {
 public:
  explicit JsonWriter(bool indented = false) : indented_(indented) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view text);  // UTF-8
  JsonWriter& integer(std::uint64_t value);
  JsonWriter& number(double value);       // the shortest text that reads as the same double
  JsonWriter& nine_digits(double value);  // enough to tell a float from its neighbours
  JsonWriter& boolean(bool value);
  JsonWriter& null();

  const std::string& text() const { return text_; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void before_value();
  void new_line();
  void append_quoted(std::string_view text);

  bool indented_;
  std::string text_;
  std::vector<bool> begun_;  // at each depth: an element has been written
  bool after_key_ = false;
};

// As Python's repr: 0.25, 1.0, 1e-05, 1e+16. An Error for what is not finite: JSON has no such
// number.
std::string number_text(double value);

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_JSON_WRITER_H_
