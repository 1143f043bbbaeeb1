// The layers of a model for the engine: checked pointers into the file, and their sizes.
//
// Every pointer is aligned to 64 bytes and valid as long as the ModelFile. Padding is zero, and every
// float is finite.
#ifndef MBRT_MODEL_WEIGHTS_H_
#define MBRT_MODEL_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/aligned.h"
#include "base/lanes.h"
#include "model/config.h"
#include "model/safetensors.h"
#include "model/sentence.h"

namespace mbrt {

// LayerNorm over n values.
struct NormWeights {
  const float* weight = nullptr;  // [pad16(n)], or null: there is no LayerNorm
  const float* bias = nullptr;
  float eps = 0;
};

// y[n] = sum_k w[n][k] x[k] + bias[n], and the parameters of its epilogue.
struct LinearWeights {
  std::size_t n = 0;         // outputs
  std::size_t k = 0;         // inputs; for a trigram projection all three padded parts
  std::size_t n_padded = 0;  // multiples of 16
  std::size_t k_padded = 0;
  Precision precision = Precision::kFp32;
  const std::int8_t* w_s8 = nullptr;           // n16k4; kInt8 only
  const float* w_f32 = nullptr;                // n16k1; kFp32 only
  const float* scale = nullptr;                // [n_padded], > 0; kInt8 only
  const float* bias = nullptr;                 // [n_padded]
  const float* residual_scale = nullptr;       // [n_padded], or null: no residual is added
  const float* sum = nullptr;                  // [n_padded] scale * column sums of w_s8; kInt8 only
  const std::int32_t* compensation = nullptr;  // [n_padded] -128 * column sums; kInt8 only
  NormWeights norm;                            // that follows
};

struct EmbeddingWeights {
  const float* word_f32 = nullptr;       // [V][pad16(E)]; kFp32 only
  const std::int8_t* word_s8 = nullptr;  // the same; kInt8 only
  const float* word_scale = nullptr;     // [pad16(V)], > 0; kInt8 only
  const float* position = nullptr;       // [P][pad16(H)]
  const float* type = nullptr;           // [T][pad16(H)], or null: no token types
  std::optional<LinearWeights> projection;
  NormWeights norm;
};

struct FfnWeights {
  LinearWeights intermediate, output;
  const float* activation_scale =
      nullptr;  // [pad16(I)], > 0; kInt8 with an activation other than ReLU
};

struct BlockWeights {
  std::optional<LinearWeights> bottleneck_input, bottleneck_attention;
  LinearWeights query, key, value, attention_output;
  std::vector<FfnWeights> ffns;
  std::optional<LinearWeights> output_bottleneck;
};

struct HeadWeights {
  std::optional<LinearWeights> pooler, mlm_transform, mlm_decoder, classifier, next_sentence;
};

// A module of a sentence-transformers folder behind the pooling.
struct ModuleWeights {
  ModuleConfig config;
  LinearWeights dense;
  std::optional<LinearWeights> residual;  // of a dense layer with other outputs than inputs
  NormWeights norm;                       // kLayerNorm
};

struct ModelWeights {
  ModelConfig config;
  EmbeddingWeights embeddings;
  std::vector<BlockWeights> blocks;
  const float* hidden_scale = nullptr;  // [L][pad16(H)], > 0; kInt8 only
  HeadWeights heads;
  std::vector<ModuleWeights> modules;
};

struct LoadedWeights {
  ModelWeights weights;
  // Values computed from the file, to which pointers in weights point.
  std::vector<AlignedArray<std::int32_t>> compensations;
  std::vector<AlignedArray<float>> sums;
};

// Finds exactly the tensors that the configuration and the modules need in a file with a checked layout, and checks
// every value. data: the start of the first tensor, aligned to 64 bytes. ModelFormatError with the
// name of the tensor.
LoadedWeights load_weights(const ModelConfig& config, const std::vector<ModuleConfig>& modules,
                           const std::vector<TensorInfo>& tensors, const std::byte* data);

}  // namespace mbrt

#endif  // MBRT_MODEL_WEIGHTS_H_
