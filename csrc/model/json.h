// A strict pull parser for JSON: the caller asks for the value it expects next. It builds no tree, so
// an untrusted text can exhaust neither the heap nor the stack.
//
//   JsonReader json(text, "config");
//   json.begin_object();
//   for (std::string key; json.next_key(&key);) {
//     if (key == "rows") rows = json.unsigned_integer(); else json.fail("unknown key");
//   }
//   json.end();
//
// RFC 8259 and nothing else: one value with white space around it, UTF-8 without a byte order mark,
// surrogates in pairs. The caller checks for duplicate keys. Every error is a ModelFormatError with
// the name of the text, what was expected, the byte position and the last key.
#ifndef MBRT_MODEL_JSON_H_
#define MBRT_MODEL_JSON_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mbrt {

class JsonReader {
 public:
  // Both must outlive the reader.
  JsonReader(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  void begin_object();
  bool next_key(std::string* key);    // false at the end of the object
  bool append_key(std::string* out);  // the same; appends the key to `out`
  void begin_array();
  bool next_element();  // false at the end of the array

  std::string string();
  std::uint64_t unsigned_integer();  // digits only, below 2^64
  double number();                   // finite
  bool boolean();
  bool null();  // consumes a null; false, and nothing is consumed, if the next value is another
  void skip();  // any value

  // The first character of the next value, '\0' at the end; consumes nothing.
  char peek_value() {
    skip_space();
    return peek();
  }

  void end();  // only white space may follow

  // Throws "<name>: <what>", with the position.
  [[noreturn]] void fail(std::string_view what) const;

 private:
  static constexpr std::size_t kMaxDepth = 8;

  char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }
  void skip_space();
  void expect(char c, const char* what);
  void enter(char open, const char* what);
  bool another(char close, const char* what);
  void append_string(std::string* out);
  std::size_t multibyte(char* out);
  std::size_t escape(char* out);
  unsigned hex4();
  std::string_view number_text();
  bool digits();
  std::string last_key() const;

  std::string_view text_;
  std::string_view name_;
  std::size_t position_ = 0;
  std::size_t depth_ = 0;
  std::array<bool, kMaxDepth> begun_{};  // at each depth: an element was read
  std::size_t key_begin_ = 0;            // of the last key, behind its quote, for messages
};

}  // namespace mbrt

#endif  // MBRT_MODEL_JSON_H_
