// Calls: items, settings, results.
#include "convert.h"

namespace mobilebert_rt::java {
namespace {

jlong new_call(JNIEnv* env, jclass, jlong model) {
  return guarded(env, [&] {
    mbrt_call call{};
    check(env, mbrt_call_new(model_of(model), &call));
    return handle_of(call.id);
  });
}

void free_call(JNIEnv* env, jclass, jlong call) {
  guarded(env, [&] { check(env, mbrt_call_free(call_of(call))); });
}

void add_text(JNIEnv* env, jclass, jlong call, jbyteArray text) {
  guarded(env, [&] {
    const std::string bytes = string_of(env, text);
    check(env, mbrt_call_add_text(call_of(call), bytes.data(), bytes.size()));
  });
}

void add_pair(JNIEnv* env, jclass, jlong call, jbyteArray first, jbyteArray second) {
  guarded(env, [&] {
    const std::string a = string_of(env, first), b = string_of(env, second);
    check(env, mbrt_call_add_pair(call_of(call), a.data(), a.size(), b.data(), b.size()));
  });
}

void set_threads(JNIEnv* env, jclass, jlong call, jlong threads) {
  guarded(env, [&] { check(env, mbrt_call_set_threads(call_of(call), count_of(threads))); });
}

void set_timeout(JNIEnv* env, jclass, jlong call, jdouble seconds) {
  guarded(env, [&] { check(env, mbrt_call_set_timeout(call_of(call), seconds)); });
}

void set_limits(JNIEnv* env, jclass, jlong call, jlong max_tokens, jint overflow, jlong stride) {
  guarded(env, [&] {
    check(env,
          mbrt_call_set_limits(call_of(call), count_of(max_tokens), overflow, count_of(stride)));
  });
}

void set_embedding(JNIEnv* env, jclass, jlong call, jbyteArray prompt, jbyteArray prompt_name,
                   jlong truncate_dim, jint normalize) {
  guarded(env, [&] {
    const OptionalName text(env, prompt), name(env, prompt_name);
    const mbrt_embedding_options options{sizeof options, text.get(), name.get(),
                                         count_of(truncate_dim), normalize};
    check(env, mbrt_call_set_outputs(call_of(call), MBRT_EMBEDDING));
    check(env, mbrt_call_set_embedding(call_of(call), &options));
  });
}

void set_task(JNIEnv* env, jclass, jlong call, jint task, jlong top_k, jlong max_answer_tokens,
              jint activation, jint aggregation, jboolean allow_no_answer,
              jboolean allow_part_words, jfloat null_threshold, jboolean multi_label,
              jbyteArray hypothesis_template, jobjectArray labels, jobjectArray targets) {
  guarded(env, [&] {
    const OptionalName hypothesis(env, hypothesis_template);
    const NameList candidate_labels(env, labels), target_list(env, targets);
    mbrt_task_options options{};
    options.struct_size = sizeof options;
    options.top_k = count_of(top_k);
    options.max_answer_tokens = count_of(max_answer_tokens);
    options.activation = activation;
    options.aggregation = aggregation;
    options.allow_no_answer = allow_no_answer;
    options.allow_part_words = allow_part_words;
    options.null_threshold = null_threshold;
    options.multi_label = multi_label;
    options.hypothesis_template = hypothesis.get();
    options.candidate_labels = candidate_labels.data();
    options.num_candidate_labels = candidate_labels.size();
    options.targets = target_list.data();
    options.num_targets = target_list.size();
    check(env, mbrt_call_set_task(call_of(call), task, &options));
  });
}

void run(JNIEnv* env, jclass, jlong call) {
  guarded(env, [&] { check(env, mbrt_call_run(call_of(call))); });
}

void cancel(JNIEnv* env, jclass, jlong call) {
  guarded(env, [&] { check(env, mbrt_call_cancel(call_of(call))); });
}

jfloatArray embedding(JNIEnv* env, jclass, jlong call, jlong item) {
  return guarded(env, [&] {
    mbrt_view view{};
    view.struct_size = sizeof view;
    check(env, mbrt_call_view(call_of(call), MBRT_EMBEDDING, 0, count_of(item), &view));
    const auto columns = static_cast<jsize>(view.columns);
    const jfloatArray array = env->NewFloatArray(columns);
    check_pending(env);
    env->SetFloatArrayRegion(array, 0, columns, view.data);
    return array;
  });
}

jobject result_of(JNIEnv* env, mbrt_call call, std::size_t item, std::size_t index) {
  mbrt_result result{};
  result.struct_size = sizeof result;
  check(env, mbrt_call_result(call, item, index, &result));
  const std::string label = result.label;
  const jbyteArray label_bytes = bytes_of(env, label.data(), label.size());
  const jbyteArray text_bytes = bytes_of(env, result.text, result.text_bytes);
  const jobject object = env->NewObject(
      names.result, names.new_result, label_bytes, text_bytes, static_cast<jlong>(result.begin),
      static_cast<jlong>(result.end), static_cast<jlong>(result.group), result.id,
      static_cast<double>(result.score));
  check_pending(env);
  env->DeleteLocalRef(label_bytes);
  env->DeleteLocalRef(text_bytes);
  return object;
}

jobjectArray results(JNIEnv* env, jclass, jlong call, jlong item) {
  return guarded(env, [&] {
    std::size_t count = 0;
    check(env, mbrt_call_result_count(call_of(call), count_of(item), &count));
    const jobjectArray array =
        env->NewObjectArray(static_cast<jsize>(count), names.result, nullptr);
    check_pending(env);
    for (std::size_t i = 0; i < count; ++i) {
      const jobject object = result_of(env, call_of(call), count_of(item), i);
      env->SetObjectArrayElement(array, static_cast<jsize>(i), object);
      env->DeleteLocalRef(object);
    }
    return array;
  });
}

}  // namespace

Methods call_methods() {
  return {method("newCall", "(J)J", new_call),
          method("freeCall", "(J)V", free_call),
          method("addText", "(J[B)V", add_text),
          method("addPair", "(J[B[B)V", add_pair),
          method("setThreads", "(JJ)V", set_threads),
          method("setTimeout", "(JD)V", set_timeout),
          method("setLimits", "(JJIJ)V", set_limits),
          method("setEmbedding", "(J[B[BJI)V", set_embedding),
          method("setTask", "(JIJJIIZZFZ[B[[B[[B)V", set_task),
          method("run", "(J)V", run),
          method("cancel", "(J)V", cancel),
          method("embedding", "(JJ)[F", embedding),
          method("results", "(JJ)[Lio/github/mobilebert_rt/Result;", results)};
}

}  // namespace mobilebert_rt::java
