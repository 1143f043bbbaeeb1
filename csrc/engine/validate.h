// The check of a call's input.
#ifndef MBRT_ENGINE_VALIDATE_H_
#define MBRT_ENGINE_VALIDATE_H_

#include "engine/batch.h"
#include "model/config.h"

namespace mbrt {

// Throws InputError when the batch does not fit the model: lengths, ids, types, or a mask that
// leaves a query without keys. batch.ids may be null, to check the rest.
void validate(const Batch& batch, const ModelConfig& config);

}  // namespace mbrt

#endif  // MBRT_ENGINE_VALIDATE_H_
