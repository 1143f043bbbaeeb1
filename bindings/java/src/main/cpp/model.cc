// Models: opening, closing, what they are.
#include <new>
#include <optional>

#include "convert.h"

namespace mobilebert_rt::java {
namespace {

constexpr std::align_val_t kAlignment{64};  // of bytes that the C API uses in place

// Keeps a model's memory while another thread may close it.
class Pin {
 public:
  Pin(JNIEnv* env, mbrt_model model) { check(env, mbrt_call_new(model, &call_)); }
  ~Pin() { mbrt_call_free(call_); }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

 private:
  mbrt_call call_{};
};

jlong open_file(JNIEnv* env, jclass, jbyteArray path, jbyteArray isa) {
  return guarded(env, [&] {
    const OptionalName name(env, isa);
    const mbrt_model_options options{sizeof options, name.get()};
    mbrt_model model{};
    check(env, mbrt_model_open(string_of(env, path).c_str(), &options, &model));
    return handle_of(model.id);
  });
}

jlong open_memory(JNIEnv* env, const void* data, std::size_t size, void (*release)(void*),
                  void* context, jbyteArray isa) {
  std::optional<OptionalName> name;
  try {
    name.emplace(env, isa);
  } catch (...) {
    release(context);
    throw;
  }
  const mbrt_model_options options{sizeof options, name->get()};
  mbrt_model model{};
  check(env, mbrt_model_open_memory(data, size, release, context, &options, &model));
  return handle_of(model.id);
}

// The bytes of an array are copied once, to memory of the alignment that is used in place.
jlong open_array(JNIEnv* env, jclass, jbyteArray array, jbyteArray isa) {
  return guarded(env, [&] {
    const jsize size = env->GetArrayLength(array);
    void* copy = ::operator new(static_cast<std::size_t>(size), kAlignment);
    env->GetByteArrayRegion(array, 0, size, static_cast<jbyte*>(copy));
    const auto release = [](void* bytes) { ::operator delete(bytes, kAlignment); };
    return open_memory(env, copy, static_cast<std::size_t>(size), release, copy, isa);
  });
}

// What keeps the memory of a direct buffer: a global reference.
struct Reference {
  JavaVM* vm;
  jobject buffer;
};

// The last use ends in a method of this library, on a thread of Java.
void release_reference(void* context) {
  const auto* reference = static_cast<Reference*>(context);
  void* env = nullptr;
  if (reference->vm->GetEnv(&env, JNI_VERSION_1_6) == JNI_OK) {
    static_cast<JNIEnv*>(env)->DeleteGlobalRef(reference->buffer);
  }
  delete reference;
}

jlong open_buffer(JNIEnv* env, jclass, jobject buffer, jlong position, jlong size, jbyteArray isa) {
  return guarded(env, [&] {
    auto* data = static_cast<char*>(env->GetDirectBufferAddress(buffer));
    JavaVM* vm = nullptr;
    if (env->GetJavaVM(&vm) != JNI_OK) throw std::bad_alloc();
    auto* reference = new Reference{vm, env->NewGlobalRef(buffer)};
    return open_memory(env, data + position, count_of(size), release_reference, reference, isa);
  });
}

void close_model(JNIEnv* env, jclass, jlong handle) {
  guarded(env, [&] { check(env, mbrt_model_close(model_of(handle))); });
}

mbrt_model_info info_of(JNIEnv* env, jlong handle) {
  mbrt_model_info info{};
  info.struct_size = sizeof info;
  check(env, mbrt_model_get_info(model_of(handle), &info));
  return info;
}

// The numbers of ModelInfo, in the order of its components.
jlongArray model_info(JNIEnv* env, jclass, jlong handle) {
  return guarded(env, [&] {
    const mbrt_model_info info = info_of(env, handle);
    const auto number = [](std::size_t value) { return static_cast<jlong>(value); };
    const jlong values[] = {info.precision,
                            info.head,
                            info.has_tokenizer,
                            number(info.vocab_size),
                            number(info.hidden_size),
                            number(info.embedding_size),
                            number(info.num_layers),
                            number(info.num_heads),
                            number(info.max_positions),
                            number(info.num_labels),
                            number(info.file_bytes),
                            number(info.workspace_bytes)};
    const jsize count = sizeof values / sizeof values[0];
    const jlongArray array = env->NewLongArray(count);
    check_pending(env);
    env->SetLongArrayRegion(array, 0, count, values);
    return array;
  });
}

jbyteArray model_isa(JNIEnv* env, jclass, jlong handle) {
  return guarded(env, [&] {
    const std::string isa = info_of(env, handle).isa;
    return bytes_of(env, isa.data(), isa.size());
  });
}

jbyteArray model_label(JNIEnv* env, jclass, jlong handle, jlong index) {
  return guarded(env, [&] {
    const Pin pin(env, model_of(handle));
    const char* label = nullptr;
    check(env, mbrt_model_label(model_of(handle), count_of(index), &label));
    const std::string text = label;
    return bytes_of(env, text.data(), text.size());
  });
}

jbyteArray model_metadata(JNIEnv* env, jclass, jlong handle, jbyteArray key) {
  return guarded(env, [&] {
    const Pin pin(env, model_of(handle));
    const char* value = nullptr;
    std::size_t bytes = 0;
    check(env, mbrt_model_metadata(model_of(handle), string_of(env, key).c_str(), &value, &bytes));
    return bytes_of(env, value, bytes);
  });
}

jlong model_trim(JNIEnv* env, jclass, jlong handle) {
  return guarded(env, [&] {
    std::size_t freed = 0;
    check(env, mbrt_model_trim(model_of(handle), &freed));
    return static_cast<jlong>(freed);
  });
}

std::vector<mbrt_token> tokens_of(JNIEnv* env, mbrt_model model, const std::string& first,
                                  const std::string* second) {
  const char* other = second == nullptr ? nullptr : second->data();
  const std::size_t other_bytes = second == nullptr ? 0 : second->size();
  std::vector<mbrt_token> tokens(512);  // of most texts
  for (;;) {
    std::size_t count = 0;
    const mbrt_status status =
        mbrt_model_tokenize(model, first.data(), first.size(), other, other_bytes, tokens.data(),
                            tokens.size(), &count);
    tokens.resize(count);
    if (status == MBRT_ERROR_BUFFER) continue;
    check(env, status);
    return tokens;
  }
}

jobjectArray tokenize(JNIEnv* env, jclass, jlong handle, jbyteArray first, jbyteArray second) {
  return guarded(env, [&] {
    std::optional<std::string> other;
    if (second != nullptr) other = string_of(env, second);
    const std::vector<mbrt_token> tokens = tokens_of(env, model_of(handle), string_of(env, first),
                                                     other.has_value() ? &*other : nullptr);
    const jobjectArray array =
        env->NewObjectArray(static_cast<jsize>(tokens.size()), names.token, nullptr);
    check_pending(env);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const mbrt_token& token = tokens[i];
      const jobject object =
          env->NewObject(names.token, names.new_token, token.id, token.type, token.part, token.word,
                         static_cast<jlong>(token.begin), static_cast<jlong>(token.end));
      check_pending(env);
      env->SetObjectArrayElement(array, static_cast<jsize>(i), object);
      env->DeleteLocalRef(object);
    }
    return array;
  });
}

jbyteArray piece(JNIEnv* env, jclass, jlong handle, jint id) {
  return guarded(env, [&] {
    std::string text(64, '\0');
    for (;;) {
      std::size_t needed = 0;
      const mbrt_status status =
          mbrt_model_piece(model_of(handle), id, text.data(), text.size(), &needed);
      if (status == MBRT_ERROR_BUFFER) {
        text.resize(needed);
        continue;
      }
      check(env, status);
      return bytes_of(env, text.data(), needed - 1);
    }
  });
}

}  // namespace

Methods model_methods() {
  return {method("openFile", "([B[B)J", open_file),
          method("openArray", "([B[B)J", open_array),
          method("openBuffer", "(Ljava/nio/ByteBuffer;JJ[B)J", open_buffer),
          method("closeModel", "(J)V", close_model),
          method("modelInfo", "(J)[J", model_info),
          method("modelIsa", "(J)[B", model_isa),
          method("modelLabel", "(JJ)[B", model_label),
          method("modelMetadata", "(J[B)[B", model_metadata),
          method("modelTrim", "(J)J", model_trim),
          method("tokenize", "(J[B[B)[Lio/github/mobilebert_rt/TokenBytes;", tokenize),
          method("piece", "(JI)[B", piece)};
}

}  // namespace mobilebert_rt::java
