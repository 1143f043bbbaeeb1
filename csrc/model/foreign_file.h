// Files of other formats that are given in place of a model, recognised by their bytes.
#ifndef MBRT_MODEL_FOREIGN_FILE_H_
#define MBRT_MODEL_FOREIGN_FILE_H_

#include <string_view>

namespace mbrt {

struct ForeignFile {
  const char* name;  // "a Git LFS pointer"
  const char* fix;   // a sentence
};

// What the bytes of a file look like; null when they are of no known format, as models are.
const ForeignFile* foreign_file(std::string_view bytes);

}  // namespace mbrt

#endif  // MBRT_MODEL_FOREIGN_FILE_H_
