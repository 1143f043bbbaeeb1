// The model that comes with the package.
#ifndef MBRT_TOOLS_DEFAULT_MODEL_H_
#define MBRT_TOOLS_DEFAULT_MODEL_H_

#include <string>

namespace mbrt::tools {

// Its path: in PREFIX/share, where this program is installed in PREFIX/bin, or in the source tree in
// which it was built. InputError when it is in neither.
std::string default_model_path();

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_DEFAULT_MODEL_H_
