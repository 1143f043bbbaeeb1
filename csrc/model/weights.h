// The layers of a model as the engine runs them: pointers into the file, checked, with the sizes
// that belong to them.
//
// Every pointer is 64-byte aligned and lives as long as the ModelFile. Padding is zero, every float
// is finite.
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

namespace mbrt {

// y[n] = sum_k w[n][k] x[k] + bias[n], and what the epilogue adds to it.
struct LinearWeights {
  std::size_t n = 0;  // outputs
  std::size_t k = 0;  // inputs; for the projection of a trigram its three padded parts together
  std::size_t n_padded = 0;  // multiples of 16
  std::size_t k_padded = 0;
  Precision precision = Precision::kFp32;
  const std::int8_t* w_s8 = nullptr;           // n16k4; kInt8 only
  const float* w_f32 = nullptr;                // n16k1; kFp32 only
  const float* scale = nullptr;                // [n_padded], > 0; kInt8 only
  const float* bias = nullptr;                 // [n_padded]
  const float* residual_scale = nullptr;       // [n_padded], or null: joins no residual
  const float* sum = nullptr;                  // [n_padded] scale * column sums of w_s8; kInt8 only
  const std::int32_t* compensation = nullptr;  // [n_padded] -128 * column sums; kInt8 only
  const float* norm_weight = nullptr;          // [n_padded], or null: no LayerNorm after it
  const float* norm_bias = nullptr;
  float norm_eps = 0;
};

struct EmbeddingWeights {
  const float* word_f32 = nullptr;       // [V][pad16(E)]; kFp32 only
  const std::int8_t* word_s8 = nullptr;  // the same; kInt8 only
  const float* word_scale = nullptr;     // [pad16(V)], > 0; kInt8 only
  const float* position = nullptr;       // [P][pad16(H)]
  const float* type = nullptr;           // [T][pad16(H)], or null: no token types
  std::optional<LinearWeights> projection;
  const float* norm_weight = nullptr;  // [pad16(H)], or null
  const float* norm_bias = nullptr;
  float norm_eps = 0;
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

struct ModelWeights {
  ModelConfig config;
  EmbeddingWeights embeddings;
  std::vector<BlockWeights> blocks;
  const float* hidden_scale = nullptr;  // [L][pad16(H)], > 0; kInt8 only
  HeadWeights heads;
};

struct LoadedWeights {
  ModelWeights weights;
  // What is derived from the file, where the pointers in weights point to.
  std::vector<AlignedArray<std::int32_t>> compensations;
  std::vector<AlignedArray<float>> sums;
};

// Finds the tensors that the configuration asks for, and no others, among those of a file with a
// sound layout, and checks every value. data is where the first tensor begins, 64-byte aligned.
// ModelFormatError, naming the tensor.
LoadedWeights load_weights(const ModelConfig& config, const std::vector<TensorInfo>& tensors,
                           const std::byte* data);

}  // namespace mbrt

#endif  // MBRT_MODEL_WEIGHTS_H_
