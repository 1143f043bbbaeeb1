// The implementations of attention.
#ifndef MBRT_ENGINE_ATTENTION_KINDS_H_
#define MBRT_ENGINE_ATTENTION_KINDS_H_

#include <memory>

#include "engine/attention.h"

namespace mbrt {

std::unique_ptr<const Attention> make_attention_f32(const Widths& widths, const KernelSet& kernels);
std::unique_ptr<const Attention> make_attention_s8(const Widths& widths, const KernelSet& kernels);

}  // namespace mbrt

#endif  // MBRT_ENGINE_ATTENTION_KINDS_H_
