// Exceptions to statuses and messages, and checks of arguments.
#ifndef MBRT_CAPI_STATUS_H_
#define MBRT_CAPI_STATUS_H_

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"
#include "include/mobilebert_rt.h"

namespace mbrt::capi {

// An error with a status that no class of base/error.h has.
class Failure : public Error {
 public:
  Failure(mbrt_status status, const std::string& message) : Error(message), status_(status) {}
  mbrt_status status() const { return status_; }

 private:
  mbrt_status status_;
};

// The status of the current exception; sets the thread's last error to its message.
mbrt_status report_exception() noexcept;

template <typename Body>
mbrt_status guarded(const Body& body) noexcept {
  try {
    body();
    return MBRT_OK;
  } catch (...) {
    return report_exception();
  }
}

[[noreturn]] void fail_null(const char* name);

// InputError: an argument is not in min .. max, or an index is not below count.
[[noreturn]] void fail_range(const char* name, std::size_t value, std::size_t min, std::size_t max);
[[noreturn]] void fail_index(const char* name, std::size_t index, std::size_t count);

// InputError when it is NULL.
template <typename T>
void require(T* pointer, const char* name) {
  if (pointer == nullptr) fail_null(name);
}

// The characters of a string argument. bytes: its length, or MBRT_NUL_TERMINATED.
std::string_view text_of(const char* text, std::size_t bytes, const char* name);

// MBRT_ERROR_BUFFER when more than `capacity` things are needed.
void require_capacity(std::size_t needed, std::size_t capacity, const char* things);

// InputError when struct_size is less than in the first release (min), or not a size.
void check_struct_size(std::size_t struct_size, std::size_t min, const char* name);

// InputError when a field of a later release is set.
void require_zeros(const unsigned char* bytes, std::size_t count, const char* name);

// A copy of the caller's options; fields that the caller's header lacks are 0, all are 0 for NULL.
template <typename S>
S read_struct(const S* from, std::size_t min, const char* name) {
  S value{};
  if (from == nullptr) return value;
  const std::size_t size = from->struct_size;
  check_struct_size(size, min, name);
  std::memcpy(&value, from, size < sizeof(S) ? size : sizeof(S));
  if (size > sizeof(S)) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(from);
    require_zeros(bytes + sizeof(S), size - sizeof(S), name);
  }
  return value;
}

// Checks the destination of write_struct.
template <typename S>
void check_struct(const S* to, std::size_t min, const char* name) {
  require(to, name);
  check_struct_size(to->struct_size, min, name);
}

// Writes the fields that the caller's header has.
template <typename S>
void write_struct(S* to, S value) {
  value.struct_size = to->struct_size;
  std::memcpy(to, &value, value.struct_size < sizeof(S) ? value.struct_size : sizeof(S));
}

}  // namespace mbrt::capi

#endif  // MBRT_CAPI_STATUS_H_
