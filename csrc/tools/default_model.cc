#include "tools/default_model.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"

namespace mbrt::tools {
namespace {

// The file of this program; empty where the system does not tell.
std::string own_path() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  return {path, static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

}  // namespace

std::string default_model_path() {
  std::string folder = own_path();
  for (std::size_t slash; (slash = folder.rfind('/')) != std::string::npos;) {
    folder.resize(slash);
    for (const char* place : {"/share/mobilebert_rt/", "/mobilebert_rt/default_model/"}) {
      const std::string file = folder + place + "model.int8.safetensors";
      struct stat status;
      if (stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode)) return file;
    }
  }
  throw InputError(
      "default: the model is neither installed with this program nor in its source tree; expected "
      "a "
      "model file. In Python, mobilebert_rt.default_model_path() is one.");
}

}  // namespace mbrt::tools
