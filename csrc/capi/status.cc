#include "capi/status.h"

#include <algorithm>
#include <new>
#include <stdexcept>

namespace mbrt::capi {
namespace {

// Of plain characters: reporting needs no memory, and a thread's end destroys nothing that a later
// destructor of the same thread might still ask for.
constexpr std::size_t kMessageRoom = 2048;
thread_local char last_message[kMessageRoom] = "";

mbrt_status report(mbrt_status status, std::string_view message) noexcept {
  std::size_t size = std::min(message.size(), kMessageRoom - 1);
  // Not in the middle of a character.
  while (size < message.size() && size > 0 &&
         (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) {
    --size;
  }
  std::memcpy(last_message, message.data(), size);
  last_message[size] = '\0';
  return status;
}

// Sizes are frozen with the ABI's first release, far below this.
constexpr std::size_t kLargestStruct = 4096;

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
    return report(MBRT_ERROR_MEMORY,
                  "the system gives no more memory; run fewer or shorter items at once");
  } catch (const std::length_error&) {
    return report(MBRT_ERROR_MEMORY, "more memory than there can be; run fewer items at once");
  } catch (const std::exception& e) {
    return report(MBRT_ERROR_INTERNAL, e.what());
  } catch (...) {
    return report(MBRT_ERROR_INTERNAL, "an exception of an unknown kind");
  }
}

void fail_null(const char* name) { throw InputError(std::string(name) + " is NULL"); }

std::string_view text_of(const char* text, std::size_t bytes, const char* name) {
  if (text == nullptr && bytes == 0) return {};
  require(text, name);
  return bytes == MBRT_NUL_TERMINATED ? std::string_view(text) : std::string_view(text, bytes);
}

void require_room(std::size_t needed, std::size_t room, const char* things) {
  if (needed <= room) return;
  throw Failure(MBRT_ERROR_BUFFER, "there are " + std::to_string(needed) + " " + things +
                                       " and room for " + std::to_string(room));
}

void check_struct_size(std::size_t struct_size, std::size_t least, const char* name) {
  if (struct_size >= least && struct_size <= kLargestStruct) return;
  throw InputError(std::string(name) + "->struct_size is " + std::to_string(struct_size) +
                   "; set it to sizeof *" + name);
}

void require_zeros(const unsigned char* bytes, std::size_t count, const char* name) {
  if (std::all_of(bytes, bytes + count, [](unsigned char b) { return b == 0; })) return;
  throw InputError(std::string(name) + " sets a field that this release, " + mbrt_version() +
                   ", does not know; use a newer library");
}

}  // namespace mbrt::capi

extern "C" const char* mbrt_last_error(void) { return mbrt::capi::last_message; }
