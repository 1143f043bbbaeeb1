#include "model/model_file.h"

#include <cstring>
#include <utility>

#include "base/aligned.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "model/message.h"
#include "model/metadata.h"

namespace mbrt {
namespace {

// Calls load and puts the name of the file before the messages of its errors.
template <typename Load>
auto naming(const std::string& name, const Load& load) {
  const std::string where = name + ": ";
  try {
    return load();
  } catch (const ModelFormatError& error) {
    throw ModelFormatError(where + error.what());
  } catch (const UnsupportedModelError& error) {
    throw UnsupportedModelError(where + error.what());
  } catch (const InputError& error) {
    throw InputError(where + error.what());
  }
}

}  // namespace

ModelFile::ModelFile(const std::byte* data, std::size_t size, std::shared_ptr<const void> owner)
    : owner_(std::move(owner)), size_(size), header_(read_safetensors_header(data, size)) {
  check_format(header_.metadata);
  check_layout(size, &header_);
  const ModelConfig config = read_config(header_.metadata);
  sentence_ = read_sentence(header_.metadata, config);
  loaded_ = load_weights(config, sentence_.modules, header_.tensors, data + header_.data_offset);
}

std::shared_ptr<const ModelFile> ModelFile::open(const std::string& path) {
  return naming(printable(path), [&] {
    auto file = std::make_shared<const MappedFile>(path);
    const std::byte* const data = file->data();
    const std::size_t size = file->size();
    return std::shared_ptr<const ModelFile>(new ModelFile(data, size, std::move(file)));
  });
}

std::shared_ptr<const ModelFile> ModelFile::from_memory(const void* data, std::size_t size,
                                                        std::shared_ptr<const void> owner) {
  return naming("model in memory", [&] {
    const auto* bytes = static_cast<const std::byte*>(data);
    if (!is_aligned(bytes)) {
      auto copy = std::make_shared<AlignedArray<std::byte>>(size);
      std::memcpy(copy->data(), bytes, size);
      bytes = copy->data();
      owner = std::move(copy);
    }
    return std::shared_ptr<const ModelFile>(new ModelFile(bytes, size, std::move(owner)));
  });
}

}  // namespace mbrt
