#include "tools/default_model.h"

#include "base/error.h"
#include "base/path_kind.h"
#include "base/process.h"

namespace mbrt::tools {

std::string default_model_path() {
  std::string folder = own_path();
  for (std::size_t slash; (slash = folder.rfind('/')) != std::string::npos;) {
    folder.resize(slash);
    for (const char* place : {"/share/mobilebert_rt/", "/mobilebert_rt/default_model/"}) {
      const std::string file = folder + place + "model.int8.safetensors";
      if (path_kind(file) == PathKind::kFile) return file;
    }
  }
  throw InputError(
      "default: the model is neither installed with this program nor in its source tree; expected "
      "a "
      "model file. In Python, mobilebert_rt.default_model_path() is one.");
}

}  // namespace mbrt::tools
