// What the strings beside the tensors must say: that the file is ours, and nothing that contradicts
// the configuration.
#ifndef MBRT_MODEL_METADATA_H_
#define MBRT_MODEL_METADATA_H_

#include <string>

#include "model/config.h"
#include "model/safetensors.h"

namespace mbrt {

// ModelFormatError when the file is somebody else's, UnsupportedModelError when it is of a version
// to come.
void check_format(const Metadata& metadata);

// The configuration, with the metadata that depend on it checked: labels, problem_type, pooling.
// Other keys are free.
ModelConfig read_config(const Metadata& metadata);

}  // namespace mbrt

#endif  // MBRT_MODEL_METADATA_H_
