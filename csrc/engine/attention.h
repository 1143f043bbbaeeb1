// Attention of a panel's queries over the keys and values of their sequences.
//
//   for 16 query rows and one head at a time:  scores  = query times keys
//                                              weights = softmax of scores, not yet divided
//                                              context = weights times values, then divided
//
// Never are more scores in memory than those of a strip. Keys and values are stored as the packed
// weights of the two products. There are two implementations: float for fp32 models
// (attention_f32.cc) and, for int8 models, products of bytes (attention_s8.cc).
#ifndef MBRT_ENGINE_ATTENTION_H_
#define MBRT_ENGINE_ATTENTION_H_

#include <memory>

#include "engine/member.h"
#include "engine/panel.h"
#include "engine/profile.h"
#include "kernels/kernels.h"

namespace mbrt {

class Attention {
 public:
  static std::unique_ptr<const Attention> make(Precision precision, const Widths& widths,
                                               const KernelSet& kernels);
  virtual ~Attention() = default;

  // Fills the chunk's table of where each sequence's keys and values begin. Once a chunk, by one
  // thread.
  static void place_sequences(const ChunkView& view);

  // Store rows [rows][body] of the panel: its queries, and its keys or values of layer `layer`.
  virtual void store_queries(const Panel& panel, const Rows& queries) const = 0;
  virtual void store_keys(const Panel& panel, std::size_t layer, const Rows& keys) const = 0;
  virtual void store_values(const Panel& panel, std::size_t layer, const Rows& values) const = 0;

  // context [rows][body] of the panel's queries; layers as counted by the caller decide which of
  // the two buffers is read.
  void run(const Panel& panel, std::size_t layer, const Rows& context) const;

 protected:
  // Up to kStripRows query rows of one sequence.
  struct Strip {
    const Stream* stream;
    const KeysValues* kv;
    const Scratch* scratch;
    std::size_t token;  // the first row's, in the chunk
    std::size_t rows;
    std::size_t keys;  // length of the sequence
    std::size_t kv_token;
    const std::uint8_t* mask;  // of the first row, or null
    std::size_t mask_stride;
    float* probabilities;  // of head 0, first row, or null: [heads][keys][keys]
    Rows context;          // of the first row
    Stage stage;

    Softmax softmax() const;  // over scratch->scores
    // Marks the end of a part of a head, of so many multiply-accumulates.
    void mark(Operation part, std::size_t macs, Precision precision) const {
      scratch->member->mark({part, stage}, rows, {macs, precision});
    }
  };

  Attention(const Widths& widths, const KernelSet& kernels) : widths_(widths), kernels_(&kernels) {}

  // The unnormalised weights of one head to scratch.scores, their inverse sums to scratch.inverse,
  // their product with the values to scratch.head_out, and to scratch.factor what that lacks.
  virtual void run_head(const Strip& strip, std::size_t head) const = 0;

  Widths widths_;
  const KernelSet* kernels_;

 private:
  void run_strip(const Strip& strip) const;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_ATTENTION_H_
