// A platform without files: models are opened from memory.
#include "base/error.h"
#include "base/mapped_file.h"

namespace mbrt {

MappedFile::MappedFile(const std::string&) {
  throw InputError(
      "cannot be opened: there are no files on this platform.\nOpen the model from memory.");
}

MappedFile::~MappedFile() = default;

}  // namespace mbrt
