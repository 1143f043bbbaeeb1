#include "capi/model.h"

#include <utility>

#include "base/cpu_count.h"
#include "base/thread_pool.h"
#include "capi/status.h"

namespace mbrt::capi {

Model::Model(std::shared_ptr<const ModelFile> file, const KernelSet& kernels, std::string name)
    : encoder_(std::make_shared<const Encoder>(std::move(file), kernels)),
      name_(std::move(name)),
      labels_(labels_of(encoder_->file().metadata(), encoder_->config().num_labels)) {}

Model::~Model() { delete text_.load(); }

std::uint32_t Model::outputs() const {
  std::uint32_t outputs = MBRT_LAST_HIDDEN_STATE | MBRT_HIDDEN_STATES | MBRT_EMBEDDING;
  const OutputShapes& shapes = encoder_->shapes();
  if (shapes.pooled.exists()) outputs |= MBRT_POOLED;
  if (shapes.logits.exists()) outputs |= MBRT_LOGITS;
  if (shapes.next_sentence.exists()) outputs |= MBRT_NEXT_SENTENCE;
  return outputs;
}

bool Model::has_tokenizer() const {
  const Metadata& metadata = encoder_->file().metadata();
  return metadata.count("tokenizer.json") > 0 || metadata.count("vocab.txt") > 0;
}

// Several threads may read it at the same time; the first to finish wins.
const std::shared_ptr<const TextModel>& Model::text() const {
  if (const auto* known = text_.load(std::memory_order_acquire)) return *known;
  if (!has_tokenizer()) {
    throw UnsupportedModelError(
        name_ +
        ": no tokenizer in the file, so it accepts token ids only. Convert it again from a "
        "folder with a tokenizer.json or a vocab.txt.");
  }
  auto read = std::make_unique<const std::shared_ptr<const TextModel>>(
      std::make_shared<const TextModel>(encoder_, name_));
  const std::shared_ptr<const TextModel>* expected = nullptr;
  if (!text_.compare_exchange_strong(expected, read.get(), std::memory_order_acq_rel)) {
    return *expected;
  }
  return *read.release();
}

std::size_t thread_count(std::size_t threads) {
  if (threads > kMaxThreads) fail_range("threads", threads, 0, kMaxThreads);
  return threads == 0 ? default_thread_count() : threads;
}

}  // namespace mbrt::capi
