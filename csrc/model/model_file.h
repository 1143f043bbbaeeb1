// A model file in memory: every byte checked, immutable, shared by any number of models and threads.
//
// For any bytes, opening either fails with an error or gives weights with which no kernel reads
// outside the file. Memory and time are bounded by a small multiple of the file's size. The bytes
// are used in place, so they must not change while the ModelFile exists (base/mapped_file.h says what
// happens otherwise).
#ifndef MBRT_MODEL_MODEL_FILE_H_
#define MBRT_MODEL_MODEL_FILE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "model/sentence.h"
#include "model/weights.h"

namespace mbrt {

class ModelFile {
 public:
  // Maps the file. InputError when it cannot be read; ModelFormatError; UnsupportedModelError. The
  // messages begin with the path.
  static std::shared_ptr<const ModelFile> open(const std::string& path);

  // Uses the caller's bytes, which must not change until the owner is released (never, if null).
  // Bytes that are not aligned to 64 are copied, and the owner is released at once.
  static std::shared_ptr<const ModelFile> from_memory(const void* data, std::size_t size,
                                                      std::shared_ptr<const void> owner);

  const ModelWeights& weights() const { return loaded_.weights; }
  const SentenceConfig& sentence() const { return sentence_; }
  const Metadata& metadata() const { return header_.metadata; }
  const std::vector<TensorInfo>& tensors() const { return header_.tensors; }  // in file order
  std::size_t bytes() const { return size_; }

 private:
  ModelFile(const std::byte* data, std::size_t size, std::shared_ptr<const void> owner);

  std::shared_ptr<const void> owner_;
  std::size_t size_;
  SafetensorsHeader header_;
  SentenceConfig sentence_;
  LoadedWeights loaded_;
};

}  // namespace mbrt

#endif  // MBRT_MODEL_MODEL_FILE_H_
