// Loading, and the functions of the library as a whole.
#include <cstring>

#include "convert.h"

namespace mobilebert_rt::java {
namespace {

jbyteArray name_of(JNIEnv* env, const char* name) { return bytes_of(env, name, std::strlen(name)); }

jbyteArray version(JNIEnv* env, jclass) {
  return guarded(env, [&] { return name_of(env, mbrt_version()); });
}

jobjectArray available_isas(JNIEnv* env, jclass) {
  return guarded(env, [&] {
    std::vector<const char*> isas(16);
    std::size_t count = 0;
    check(env, mbrt_available_isas(isas.data(), isas.size(), &count));
    const jobjectArray array = env->NewObjectArray(static_cast<jsize>(count), names.bytes, nullptr);
    check_pending(env);
    for (std::size_t i = 0; i < count; ++i) {
      const jbyteArray name = name_of(env, isas[i]);
      env->SetObjectArrayElement(array, static_cast<jsize>(i), name);
      env->DeleteLocalRef(name);
    }
    return array;
  });
}

jbyteArray default_isa(JNIEnv* env, jclass) {
  return guarded(env, [&] {
    const char* isa = nullptr;
    check(env, mbrt_default_isa(&isa));
    return name_of(env, isa);
  });
}

jint default_threads(JNIEnv* env, jclass) {
  return guarded(env, [&] {
    std::size_t threads = 0;
    check(env, mbrt_default_threads(&threads));
    return static_cast<jint>(threads);
  });
}

}  // namespace

Methods library_methods() {
  return {method("version", "()[B", version), method("availableIsas", "()[[B", available_isas),
          method("defaultIsa", "()[B", default_isa),
          method("defaultThreads", "()I", default_threads)};
}

namespace {

bool register_methods(JNIEnv* env) {
  const jclass native = env->FindClass("io/github/mobilebert_rt/Native");
  if (native == nullptr || !look_up(env)) return false;
  for (const Methods& methods : {library_methods(), model_methods(), call_methods()}) {
    if (env->RegisterNatives(native, methods.data(), static_cast<jint>(methods.size())) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace
}  // namespace mobilebert_rt::java

extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void*) {
  void* env = nullptr;
  if (vm->GetEnv(&env, JNI_VERSION_1_6) != JNI_OK) return JNI_ERR;
  using namespace mobilebert_rt::java;
  const bool loaded = guarded(static_cast<JNIEnv*>(env),
                              [&] { return register_methods(static_cast<JNIEnv*>(env)); });
  return loaded ? JNI_VERSION_1_6 : JNI_ERR;
}

extern "C" JNIEXPORT void JNICALL JNI_OnUnload(JavaVM* vm, void*) {
  void* pointer = nullptr;
  if (vm->GetEnv(&pointer, JNI_VERSION_1_6) != JNI_OK) return;
  auto* env = static_cast<JNIEnv*>(pointer);
  using mobilebert_rt::java::names;
  for (const jclass name : {names.errors, names.result, names.token, names.bytes}) {
    env->DeleteGlobalRef(name);
  }
  names = {};
}
