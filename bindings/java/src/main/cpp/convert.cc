#include "convert.h"

#include <climits>
#include <cstring>

namespace mobilebert_rt::java {

Names names{};

namespace {

// A global reference to a class; null, with a pending exception, when there is none of the name.
jclass find_class(JNIEnv* env, const char* name) {
  const jclass local = env->FindClass(name);
  if (local == nullptr) return nullptr;
  const auto global = static_cast<jclass>(env->NewGlobalRef(local));
  env->DeleteLocalRef(local);
  return global;
}

}  // namespace

bool look_up(JNIEnv* env) {
  names.errors = find_class(env, "io/github/mobilebert_rt/Errors");
  names.result = names.errors ? find_class(env, "io/github/mobilebert_rt/Result") : nullptr;
  names.token = names.result ? find_class(env, "io/github/mobilebert_rt/TokenBytes") : nullptr;
  names.bytes = names.token ? find_class(env, "[B") : nullptr;
  if (names.bytes == nullptr) return false;
  names.raise = env->GetStaticMethodID(names.errors, "raise", "(I[B)V");
  if (names.raise == nullptr) return false;
  names.new_result = env->GetMethodID(names.result, "<init>", "([B[BJJJIF)V");
  if (names.new_result == nullptr) return false;
  names.new_token = env->GetMethodID(names.token, "<init>", "(IIIIJJ)V");
  return names.new_token != nullptr;
}

void check_pending(JNIEnv* env) {
  if (env->ExceptionCheck()) throw PendingException();
}

void check(JNIEnv* env, mbrt_status status) {
  if (status == MBRT_OK) return;
  const char* message = mbrt_last_error();
  const jbyteArray bytes = bytes_of(env, message, std::strlen(message));
  env->CallStaticVoidMethod(names.errors, names.raise, static_cast<jint>(status), bytes);
  throw PendingException();
}

void raise_out_of_memory(JNIEnv* env) noexcept {
  if (env->ExceptionCheck()) return;
  const jclass error = env->FindClass("java/lang/OutOfMemoryError");
  if (error != nullptr) env->ThrowNew(error, "mobilebert_rt: out of memory");
}

std::string string_of(JNIEnv* env, jbyteArray array) {
  if (array == nullptr) {
    const jclass error = env->FindClass("java/lang/NullPointerException");
    if (error != nullptr) env->ThrowNew(error, "byte[]");
    throw PendingException();
  }
  const jsize size = env->GetArrayLength(array);
  std::string text(static_cast<std::size_t>(size), '\0');
  env->GetByteArrayRegion(array, 0, size, reinterpret_cast<jbyte*>(text.data()));
  check_pending(env);
  return text;
}

jbyteArray bytes_of(JNIEnv* env, const char* data, std::size_t size) {
  if (size > INT_MAX) throw std::bad_alloc();  // more than a Java array can have
  const jbyteArray array = env->NewByteArray(static_cast<jsize>(size));
  if (array == nullptr) throw PendingException();
  env->SetByteArrayRegion(array, 0, static_cast<jsize>(size), reinterpret_cast<const jbyte*>(data));
  return array;
}

NameList::NameList(JNIEnv* env, jobjectArray array) {
  const jsize size = array == nullptr ? 0 : env->GetArrayLength(array);
  texts_.reserve(static_cast<std::size_t>(size));
  pointers_.reserve(static_cast<std::size_t>(size));
  for (jsize i = 0; i < size; ++i) {
    const auto element = static_cast<jbyteArray>(env->GetObjectArrayElement(array, i));
    texts_.push_back(string_of(env, element));
    env->DeleteLocalRef(element);
    pointers_.push_back(texts_.back().c_str());
  }
}

}  // namespace mobilebert_rt::java
