// Attention of a panel's queries over the keys and values of their sequences.
//
//   for 16 query rows and one head at a time:  scores  = query times keys
//                                              weights = exp(scores - max), not yet divided
//                                              context = weights times values, then divided
//
// Only the scores of one strip are in memory. Keys and values are stored as the packed weights of
// the two products. There are two implementations: float for fp32 models (attention_f32.cc) and
// bytes for int8 models (attention_s8.cc).
#ifndef MBRT_ENGINE_ATTENTION_H_
#define MBRT_ENGINE_ATTENTION_H_

#include <memory>

#include "engine/panel.h"
#include "engine/profile.h"
#include "engine/worker.h"
#include "kernels/kernels.h"

namespace mbrt {

class Attention {
 public:
  static std::unique_ptr<const Attention> make(Precision precision, const Widths& widths,
                                               const KernelSet& kernels);
  virtual ~Attention() = default;

  // Fills the chunk's table of where each sequence's keys and values begin. Called once per chunk,
  // by one worker.
  static void place_sequences(const ChunkView& view);

  // Store rows [rows][body] of the panel: its queries, and its keys or values of layer `layer`.
  virtual void store_queries(const Panel& panel, const Rows& queries) const = 0;
  virtual void store_keys(const Panel& panel, std::size_t layer, const Rows& keys) const = 0;
  virtual void store_values(const Panel& panel, std::size_t layer, const Rows& values) const = 0;

  // context [rows][body] of the panel's queries, over the keys and values of layer `layer`.
  void run(const Worker& worker, const Panel& panel, std::size_t layer, const Rows& context) const;

 protected:
  // Up to kStripRows query rows of one sequence.
  struct Strip {
    const Stream* stream;
    const KeysValues* kv;
    const Scratch* scratch;
    std::size_t token;  // the first row's, in the chunk
    std::size_t rows;
    std::size_t keys;        // length of the sequence
    std::size_t first_keys;  // causal: keys up to the first row's own; otherwise 0
    std::size_t reach;       // keys that the last row is allowed
    std::size_t kv_token;
    const std::uint8_t* mask = nullptr;  // of the first row, or null
    std::size_t mask_stride = 0;
    float* probabilities = nullptr;  // of head 0, first row, or null: [heads][keys][keys]
    Rows context;                    // of the first row
    Stage stage;

    Softmax softmax() const;  // over scratch->scores
    // Pairs of a query and a key that it is allowed.
    std::size_t pairs() const {
      return first_keys == 0 ? rows * keys : rows * first_keys + rows * (rows - 1) / 2;
    }
    // Records the end of an operation on one head, of `macs` multiply-accumulates.
    void mark(const Worker& worker, Operation operation, std::size_t macs,
              Precision precision) const {
      worker.mark({operation, stage}, rows, {.macs = macs, .precision = precision});
    }
  };

  Attention(const Widths& widths, const KernelSet& kernels) : widths_(widths), kernels_(&kernels) {}

  // Computes one head: its undivided weights to scratch.scores, their inverse sums to
  // scratch.inverse, their product with the values to scratch.head_out, and the factor of each row
  // of that product to scratch.factor.
  virtual void run_head(const Worker& worker, const Strip& strip, std::size_t head) const = 0;

  Widths widths_;
  const KernelSet* kernels_;

 private:
  void run_strip(const Worker& worker, const Strip& strip) const;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_ATTENTION_H_
