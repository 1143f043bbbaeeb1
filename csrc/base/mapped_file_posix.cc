#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <system_error>

#include "base/error.h"
#include "base/mapped_file.h"

namespace mbrt {
namespace {

[[noreturn]] void fail(const char* what) {
  const int error = errno;
  throw InputError(std::string(what) + ": " + std::generic_category().message(error) +
                   ".\nGive the path of a file that exists and that this user may read.");
}

struct Descriptor {
  int fd;
  ~Descriptor() { ::close(fd); }
};

// Non-blocking: opening a named pipe would otherwise wait for a writer.
int open_for_reading(const std::string& path) {
  int fd;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) fail("cannot be opened");
  return fd;
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    throw InputError("the path has a zero byte.\nGive a path without one.");
  }
  const Descriptor file{open_for_reading(path)};
  struct stat status;
  if (::fstat(file.fd, &status) != 0) fail("cannot be examined");
  if (S_ISDIR(status.st_mode)) {
    throw InputError("is a folder.\nGive the path of the model file in it.");
  }
  if (!S_ISREG(status.st_mode)) {
    throw InputError("is not a regular file.\nGive the path of one.");
  }
  if (status.st_size == 0) return;
  if (static_cast<std::uintmax_t>(status.st_size) > std::numeric_limits<std::size_t>::max() / 2) {
    throw InputError("is too large for a 32-bit address space.\nUse a 64-bit program.");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.fd, 0);
  if (data == MAP_FAILED) fail("cannot be mapped into memory");
  ::posix_madvise(data, size, POSIX_MADV_WILLNEED);  // a hint: errors do not matter
  data_ = data;
  size_ = size;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace mbrt
