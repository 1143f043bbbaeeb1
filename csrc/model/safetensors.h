// The container of a model file: a length, a JSON header that describes the tensors, and their
// bytes.
//
// It is read in two steps, so that a valid safetensors file of another program is reported as such
// and not as damaged: first the header as JSON; then, if its metadata have our format name, the rules
// of docs/model_format.md.
#ifndef MBRT_MODEL_SAFETENSORS_H_
#define MBRT_MODEL_SAFETENSORS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mbrt {

using Metadata = std::map<std::string, std::string>;

struct TensorInfo {
  std::string name;
  std::string dtype;  // "F32" or "I8" after check_layout
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0;  // offsets from the end of the header
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  Metadata metadata;
  std::vector<TensorInfo> tensors;  // as listed; in file order after check_layout
  std::size_t data_offset = 0;      // where the first tensor begins in the file
};

// Reads the header of the file in memory at data. ModelFormatError when it is not safetensors.
SafetensorsHeader read_safetensors_header(const std::byte* data, std::size_t size);

// Checks that every tensor has a known type, the size that its shape needs and aligned offsets, and
// that the tensors fill the data of a file of `size` bytes without gap or overlap; sorts them by
// offset. Afterwards every offset and every product of a shape is at most `size`. ModelFormatError
// with the name of the tensor.
void check_layout(std::size_t size, SafetensorsHeader* header);

}  // namespace mbrt

#endif  // MBRT_MODEL_SAFETENSORS_H_
