// Attention of a panel's queries over the keys and values of their sequences.
//
// Keys and values are stored as the packed weights of the two products, so that both are gemm_f32:
//   keys    for each head [padded keys / 16][head][16]     scores  = query (rows x head)  times
//   keys values  for each head [head_padded / 16][keys][16]     context = weights (rows x keys)
//   times values
// Scores exist for 16 query rows and one head at a time; the division by the softmax sum comes
// after the second product.
#ifndef MBRT_ENGINE_ATTENTION_H_
#define MBRT_ENGINE_ATTENTION_H_

#include "engine/panel.h"
#include "kernels/kernels.h"

namespace mbrt {

class Attention {
 public:
  explicit Attention(const KernelSet& kernels) : kernels_(&kernels) {}

  // Fills the chunk's table of where each sequence's keys and values begin. Once a chunk, by one
  // thread.
  static void place_sequences(const ChunkView& view);

  // Store the panel's key or value rows [rows][body] for layer `layer`.
  static void store_keys(const Panel& panel, std::size_t layer, const Rows& keys);
  static void store_values(const Panel& panel, std::size_t layer, const Rows& values);

  // context [rows][body] of the panel's queries; layers as counted by the caller decide which of
  // the two buffers is read.
  void run(const Panel& panel, std::size_t layer, std::size_t num_layers,
           const Rows& context) const;

 private:
  struct Strip;
  void run_head(const Strip& strip, std::size_t head) const;

  const KernelSet* kernels_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_ATTENTION_H_
