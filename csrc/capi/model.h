// The object of a model handle.
#ifndef MBRT_CAPI_MODEL_H_
#define MBRT_CAPI_MODEL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capi/status.h"
#include "engine/encoder.h"
#include "include/mobilebert_rt.h"
#include "tasks/text_model.h"

namespace mbrt::capi {

// Immutable, except for the tokenizer, which is read at its first use.
class Model {
 public:
  // name: of the model in messages.
  Model(std::shared_ptr<const ModelFile> file, const KernelSet& kernels, std::string name);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const Encoder& encoder() const { return *encoder_; }
  const ModelConfig& config() const { return encoder_->config(); }
  const std::vector<std::string>& labels() const { return labels_; }
  const SentenceConfig& sentence() const { return encoder_->file().sentence(); }

  // The available outputs: MBRT_LAST_HIDDEN_STATE | ...
  std::uint32_t outputs() const;

  bool has_tokenizer() const;
  // UnsupportedModelError when there is no tokenizer, ModelFormatError when it is invalid.
  const std::shared_ptr<const TextModel>& text() const;

 private:
  std::shared_ptr<const Encoder> encoder_;
  std::string name_;
  std::vector<std::string> labels_;
  // Owned. No mutex: a mutex that another thread holds during fork() stays locked in the child.
  mutable std::atomic<const std::shared_ptr<const TextModel>*> text_{nullptr};
};

// Failure (MBRT_ERROR_HANDLE) for an invalid handle.
std::shared_ptr<Model> model_of(mbrt_model handle);

// The status of body(model).
template <typename Body>
mbrt_status on_model(mbrt_model handle, const Body& body) noexcept {
  return guarded([&] { body(static_cast<const Model&>(*model_of(handle))); });
}

// The caller's number of threads, or the default for 0. InputError above 256.
std::size_t thread_count(std::size_t threads);

}  // namespace mbrt::capi

#endif  // MBRT_CAPI_MODEL_H_
