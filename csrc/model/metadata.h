// Checks of a file's metadata: its format, and that nothing contradicts the configuration.
#ifndef MBRT_MODEL_METADATA_H_
#define MBRT_MODEL_METADATA_H_

#include <string>

#include "model/config.h"
#include "model/safetensors.h"

namespace mbrt {

// ModelFormatError for a file of another program, UnsupportedModelError for one of a later version.
void check_format(const Metadata& metadata);

// The configuration; also checks the metadata that depend on it: labels, problem_type, activation.
// Other keys may have any value.
ModelConfig read_config(const Metadata& metadata);

}  // namespace mbrt

#endif  // MBRT_MODEL_METADATA_H_
