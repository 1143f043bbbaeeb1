// A strict JSON reader that is asked for what should come next, and builds no tree: memory and
// depth are the asker's, so a hostile text can neither exhaust the heap nor the stack.
//
//   JsonReader json(text, "config");
//   json.begin_object();
//   for (std::string key; json.next_key(&key);) {
//     if (key == "rows") rows = json.unsigned_integer(); else json.fail("an unknown key");
//   }
//   json.end();
//
// RFC 8259 and no more: one value and white space around it, UTF-8 without a byte order mark,
// surrogates in pairs. A key that comes twice is for the asker to refuse: it knows its keys. Every
// error is a ModelFormatError that says which text (the name given), what was expected, at which
// byte and after which key.
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
  bool next_key(std::string* key);  // false at the end of the object
  void begin_array();
  bool next_element();  // false at the end of the array

  std::string string();
  std::uint64_t unsigned_integer();  // digits only, below 2^64
  double number();                   // finite
  bool boolean();
  bool null();  // steps over a null; false, and nothing happens, when something else is next
  void skip();  // any value

  // The first character of what is next, '\0' at the end; nothing is checked or consumed.
  char peek_value() {
    skip_space();
    return peek();
  }

  void end();  // nothing but white space may follow

  // Throws "<name>: <what>", with the place.
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

  std::string_view text_;
  std::string_view name_;
  std::size_t position_ = 0;
  std::size_t depth_ = 0;
  std::array<bool, kMaxDepth> begun_{};  // at each depth: an element has been read
  std::string key_;                      // the last one, for messages
};

}  // namespace mbrt

#endif  // MBRT_MODEL_JSON_H_
