// Conversions between Java and C values, and errors of the C API as Java exceptions.
//
// A native method runs inside guarded(): a C++ exception never reaches the JVM. Where a Java exception is
// pending, PendingException leaves the method.
#pragma once

#include <jni.h>

#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "mobilebert_rt.h"

namespace mobilebert_rt::java {

struct PendingException {};

// What of the Java classes is looked up once, when the library is loaded.
struct Names {
  jclass errors;  // io.github.mobilebert_rt.Errors
  jmethodID raise;
  jclass result;  // io.github.mobilebert_rt.Result
  jmethodID new_result;
  jclass token;  // io.github.mobilebert_rt.TokenBytes
  jmethodID new_token;
  jclass bytes;  // byte[]
};
extern Names names;
bool look_up(JNIEnv* env);

// Throws PendingException if a Java exception is pending.
void check_pending(JNIEnv* env);

// The exception of an error of the calling thread's last function; MBRT_OK: nothing.
void check(JNIEnv* env, mbrt_status status);

// As a pending exception; for catch clauses.
void raise_out_of_memory(JNIEnv* env) noexcept;

// The bytes of a byte[]; NullPointerException for null.
std::string string_of(JNIEnv* env, jbyteArray array);

// A byte[] of these bytes, as a local reference.
jbyteArray bytes_of(JNIEnv* env, const char* data, std::size_t size);

// A name that may be null in Java, and in C.
class OptionalName {
 public:
  OptionalName(JNIEnv* env, jbyteArray array)
      : is_null_(array == nullptr), text_(array == nullptr ? "" : string_of(env, array)) {}
  const char* get() const { return is_null_ ? nullptr : text_.c_str(); }

 private:
  bool is_null_;
  std::string text_;
};

// The names of a byte[][]; null has none.
class NameList {
 public:
  NameList(JNIEnv* env, jobjectArray array);
  NameList(const NameList&) = delete;
  NameList& operator=(const NameList&) = delete;
  const char* const* data() const { return pointers_.data(); }
  std::size_t size() const { return pointers_.size(); }

 private:
  std::vector<std::string> texts_;
  std::vector<const char*> pointers_;
};

// Runs a method's body; a default value, with a pending exception, when it fails.
template <typename Body>
auto guarded(JNIEnv* env, const Body& body) noexcept -> decltype(body()) {
  try {
    return body();
  } catch (const PendingException&) {
  } catch (const std::bad_alloc&) {
    raise_out_of_memory(env);
  }
  return decltype(body())();
}

// Handles are 64-bit values on both sides.
inline mbrt_model model_of(jlong handle) { return {static_cast<std::uint64_t>(handle)}; }
inline mbrt_call call_of(jlong handle) { return {static_cast<std::uint64_t>(handle)}; }
inline jlong handle_of(std::uint64_t id) { return static_cast<jlong>(id); }

// Java passes counts that it has checked, >= 0.
inline std::size_t count_of(jlong value) { return static_cast<std::size_t>(value); }

using Methods = std::vector<JNINativeMethod>;
Methods library_methods();
Methods model_methods();
Methods call_methods();

// An entry of the table of native methods.
template <typename Function>
JNINativeMethod method(const char* name, const char* signature, Function* function) {
  return {const_cast<char*>(name), const_cast<char*>(signature), reinterpret_cast<void*>(function)};
}

}  // namespace mobilebert_rt::java
