#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/streams.h"

namespace mbrt {

std::FILE* open_stream(const std::string& path, const char* mode) {
  return std::fopen(path.c_str(), mode);
}

bool is_terminal(std::FILE* stream) { return isatty(fileno(stream)) != 0; }

ByteReader::ByteReader() : name_("standard input"), handle_(STDIN_FILENO), owned_(false) {}

ByteReader::ByteReader(const std::string& path)
    : name_(path), handle_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), owned_(true) {
  if (handle_ < 0) fail();
}

ByteReader::~ByteReader() {
  if (owned_) ::close(static_cast<int>(handle_));
}

void ByteReader::fail() const { throw InputError(name_ + ": " + std::strerror(errno) + "."); }

std::size_t ByteReader::read(char* data, std::size_t size) {
  ssize_t count = 0;
  do {
    throw_if_interrupted();
    count = ::read(static_cast<int>(handle_), data, size);
  } while (count < 0 && errno == EINTR);
  if (count < 0) fail();
  return static_cast<std::size_t>(count);
}

}  // namespace mbrt
