// The border of the C API: exceptions become statuses and a message, arguments are checked.
#ifndef MBRT_CAPI_STATUS_H_
#define MBRT_CAPI_STATUS_H_

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"
#include "include/mobilebert_rt.h"

namespace mbrt::capi {

// A failure whose status no class of base/error.h has.
class Failure : public Error {
 public:
  Failure(mbrt_status status, const std::string& message) : Error(message), status_(status) {}
  mbrt_status status() const { return status_; }

 private:
  mbrt_status status_;
};

// The status of the exception that is being handled; its message becomes the thread's last error.
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

// InputError when it is NULL.
template <typename T>
void require(T* pointer, const char* name) {
  if (pointer == nullptr) fail_null(name);
}

// The characters of a string argument. bytes: its length, or MBRT_NUL_TERMINATED.
std::string_view text_of(const char* text, std::size_t bytes, const char* name);

// MBRT_ERROR_BUFFER unless `needed` things fit in `room`.
void require_room(std::size_t needed, std::size_t room, const char* things);

// InputError when struct_size is less than the first release of the struct had, or no size at all.
void check_struct_size(std::size_t struct_size, std::size_t least, const char* name);

// InputError when a struct of a later release says something that this one does not know.
void require_zeros(const unsigned char* bytes, std::size_t count, const char* name);

// A copy of the caller's options, fields that their header did not have yet being 0; all 0 for NULL.
template <typename S>
S read_struct(const S* from, std::size_t least, const char* name) {
  S value{};
  if (from == nullptr) return value;
  const std::size_t size = from->struct_size;
  check_struct_size(size, least, name);
  std::memcpy(&value, from, size < sizeof(S) ? size : sizeof(S));
  if (size > sizeof(S)) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(from);
    require_zeros(bytes + sizeof(S), size - sizeof(S), name);
  }
  return value;
}

// Checks where write_struct is to write.
template <typename S>
void check_struct(const S* to, std::size_t least, const char* name) {
  require(to, name);
  check_struct_size(to->struct_size, least, name);
}

// As much of the value as the caller's header knows.
template <typename S>
void write_struct(S* to, S value) {
  value.struct_size = to->struct_size;
  std::memcpy(to, &value, value.struct_size < sizeof(S) ? value.struct_size : sizeof(S));
}

}  // namespace mbrt::capi

#endif  // MBRT_CAPI_STATUS_H_
