#include "capi/status.h"

#include <algorithm>
#include <new>
#include <stdexcept>

namespace mbrt::capi {
namespace {

// An array: reporting an error needs no memory, and there is nothing to destroy at a thread's end.
constexpr std::size_t kMessageCapacity = 2048;
thread_local char last_message[kMessageCapacity] = "";

mbrt_status report(mbrt_status status, std::string_view message) noexcept {
  std::size_t size = std::min(message.size(), kMessageCapacity - 1);
  // Do not cut a character.
  while (size < message.size() && size > 0 &&
         (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) {
    --size;
  }
  std::memcpy(last_message, message.data(), size);
  last_message[size] = '\0';
  return status;
}

// No struct is nearly as large.
constexpr std::size_t kMaxStruct = 4096;

}  // namespace

mbrt_status report_exception() noexcept {
  try {
    throw;
  } catch (const Failure& e) {
    return report(e.status(), e.what());
  } catch (const ModelFormatError& e) {
    return report(MBRT_ERROR_MODEL_FORMAT, e.what());
  } catch (const UnsupportedModelError& e) {
    return report(MBRT_ERROR_UNSUPPORTED_MODEL, e.what());
  } catch (const InputError& e) {
    return report(MBRT_ERROR_INPUT, e.what());
  } catch (const CancelledError& e) {
    return report(MBRT_ERROR_CANCELLED, e.what());
  } catch (const TimeoutError& e) {
    return report(MBRT_ERROR_TIMEOUT, e.what());
  } catch (const std::bad_alloc&) {
    return report(MBRT_ERROR_MEMORY, "out of memory. Run fewer or shorter items at once.");
  } catch (const std::length_error&) {
    return report(MBRT_ERROR_MEMORY, "sizes overflow the address space. Run fewer items at once.");
  } catch (const std::exception& e) {
    return report(MBRT_ERROR_INTERNAL, e.what());
  } catch (...) {
    return report(MBRT_ERROR_INTERNAL, "internal error: unknown exception. Please report it.");
  }
}

void fail_null(const char* name) {
  throw InputError(std::string(name) + ": NULL; expected a pointer.");
}

void fail_range(const char* name, std::size_t value, std::size_t min, std::size_t max) {
  throw InputError(std::string(name) + ": " + std::to_string(value) + "; expected " +
                   std::to_string(min) + " to " + std::to_string(max) + ".");
}

void fail_index(const char* name, std::size_t index, std::size_t count) {
  throw InputError(std::string(name) + ": " + std::to_string(index) + "; there are " +
                   std::to_string(count) + ", numbered from 0.");
}

std::string_view text_of(const char* text, std::size_t bytes, const char* name) {
  if (text == nullptr && bytes == 0) return {};
  require(text, name);
  return bytes == MBRT_NUL_TERMINATED ? std::string_view(text) : std::string_view(text, bytes);
}

void require_capacity(std::size_t needed, std::size_t capacity, const char* things) {
  if (needed <= capacity) return;
  throw Failure(MBRT_ERROR_BUFFER, "capacity: " + std::to_string(capacity) +
                                       "; expected at least " + std::to_string(needed) + " " +
                                       things + ".");
}

void check_struct_size(std::size_t struct_size, std::size_t min, const char* name) {
  if (struct_size >= min && struct_size <= kMaxStruct) return;
  throw InputError(std::string(name) + "->struct_size: " + std::to_string(struct_size) +
                   ". Set it to sizeof *" + name + ".");
}

void require_zeros(const unsigned char* bytes, std::size_t count, const char* name) {
  if (std::all_of(bytes, bytes + count, [](unsigned char b) { return b == 0; })) return;
  throw InputError(std::string(name) + ": a field that release " + mbrt_version() +
                   " does not have is set. Use a newer library.");
}

}  // namespace mbrt::capi

extern "C" const char* mbrt_last_error(void) { return mbrt::capi::last_message; }
