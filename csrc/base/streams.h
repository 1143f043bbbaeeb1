// Files as streams of bytes, and terminals. Paths are UTF-8.
#ifndef MBRT_BASE_STREAMS_H_
#define MBRT_BASE_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace mbrt {

// As std::fopen. mode: "rb", "wb".
std::FILE* open_stream(const std::string& path, const char* mode);

// Of stdin, stdout or stderr.
bool is_terminal(std::FILE* stream);

// Reads a file or standard input; nothing is read ahead.
class ByteReader {
 public:
  ByteReader();                                  // standard input
  explicit ByteReader(const std::string& path);  // InputError when it cannot be opened
  ~ByteReader();
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  // Waits for some bytes and returns their number, at most `size`; 0 at the end. CancelledError after
  // Ctrl-C; InputError, also of the constructor, begins with name().
  std::size_t read(char* data, std::size_t size);

  // The path, or "standard input".
  const std::string& name() const { return name_; }

 private:
  [[noreturn]] void fail() const;

  std::string name_;
  std::intptr_t handle_;
  bool owned_;
};

}  // namespace mbrt

#endif  // MBRT_BASE_STREAMS_H_
