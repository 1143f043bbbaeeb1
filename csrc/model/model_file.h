// A model file in memory: opened, every byte checked, immutable; any number of models and threads
// may share it.
//
// Whatever the bytes are, opening either fails with a named error or leaves weights that cannot
// lead a kernel outside the file. Memory and time are bounded by a small multiple of the file's
// size. The bytes are used where they lie, so they must not change while the ModelFile lives (see
// base/mapped_file.h for what happens to a mapped file that does).
#ifndef MBRT_MODEL_MODEL_FILE_H_
#define MBRT_MODEL_MODEL_FILE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "model/weights.h"

namespace mbrt {

class ModelFile {
 public:
  // Maps the file. InputError when there is none; ModelFormatError and UnsupportedModelError begin
  // with the path.
  static std::shared_ptr<const ModelFile> open(const std::string& path);

  // Uses the bytes of the caller, who keeps them as they are until the owner is released (null: for
  // ever). Bytes that do not begin on a 64-byte boundary are copied and the owner is released at
  // once.
  static std::shared_ptr<const ModelFile> from_memory(const void* data, std::size_t size,
                                                      std::shared_ptr<const void> owner);

  const ModelWeights& weights() const { return loaded_.weights; }
  const Metadata& metadata() const { return header_.metadata; }
  const std::vector<TensorInfo>& tensors() const { return header_.tensors; }  // in file order
  std::size_t bytes() const { return size_; }

 private:
  ModelFile(const std::byte* data, std::size_t size, std::shared_ptr<const void> owner);

  std::shared_ptr<const void> owner_;
  std::size_t size_;
  SafetensorsHeader header_;
  LoadedWeights loaded_;
};

}  // namespace mbrt

#endif  // MBRT_MODEL_MODEL_FILE_H_
