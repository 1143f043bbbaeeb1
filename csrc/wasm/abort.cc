// Ends of the program: a trap, which JavaScript sees as a WebAssembly.RuntimeError. The standard library's own versions
// print to stderr, which would add its output functions and an import.
#include <cstdarg>
#include <exception>

namespace std {

[[noreturn]] void terminate() noexcept { __builtin_trap(); }

inline namespace _LIBCPP_ABI_NAMESPACE {
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) { __builtin_trap(); }
}  // namespace _LIBCPP_ABI_NAMESPACE

}  // namespace std

extern "C" {
[[noreturn]] void abort_message(const char*, ...) { __builtin_trap(); }
[[noreturn]] void __cxa_pure_virtual() { __builtin_trap(); }
}
