// What a model handle stands for.
#ifndef MBRT_CAPI_MODEL_H_
#define MBRT_CAPI_MODEL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/encoder.h"
#include "include/mobilebert_rt.h"
#include "tasks/text_model.h"

namespace mbrt::capi {

// Immutable, but for the tokenizer that is read when it is first asked for.
class Model {
 public:
  // name: what messages call it.
  Model(std::shared_ptr<const ModelFile> file, const KernelSet& kernels, std::string name);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const Encoder& encoder() const { return *encoder_; }
  const ModelConfig& config() const { return encoder_->config(); }
  const std::vector<std::string>& labels() const { return labels_; }
  const Pooling& pooling() const { return pooling_; }

  // MBRT_LAST_HIDDEN_STATE | ...: what it can give.
  std::uint32_t outputs() const;

  bool has_tokenizer() const;
  // Throws Failure (MBRT_ERROR_UNSUPPORTED_MODEL) when there is no tokenizer, ModelFormatError when
  // it is unsound.
  const std::shared_ptr<const TextModel>& text() const;

 private:
  std::shared_ptr<const Encoder> encoder_;
  std::string name_;
  std::vector<std::string> labels_;
  Pooling pooling_;
  // Owned. No mutex: one that another thread holds at a fork() stays locked in the child.
  mutable std::atomic<const std::shared_ptr<const TextModel>*> text_{nullptr};
};

// Throws Failure (MBRT_ERROR_HANDLE) for a handle that is none.
std::shared_ptr<Model> model_of(mbrt_model handle);

// The caller's number of threads, 0 being mbrt_default_threads. InputError beyond 256.
std::size_t thread_count(std::size_t threads);

}  // namespace mbrt::capi

#endif  // MBRT_CAPI_MODEL_H_
