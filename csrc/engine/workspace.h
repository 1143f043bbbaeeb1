// All memory of a call, planned from the configuration and the token count, in one block.
#ifndef MBRT_ENGINE_WORKSPACE_H_
#define MBRT_ENGINE_WORKSPACE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned.h"
#include "engine/batch.h"
#include "engine/rows.h"
#include "model/config.h"

namespace mbrt {

// Rows that pass through a block together, so that their activations and the weights of a layer
// stay in the cache.
inline constexpr std::size_t kPanelRows = 32;
// Query rows whose scores are computed together: 16 x 512 floats fit in the L1 cache.
inline constexpr std::size_t kStripRows = 16;
// Tokens that pass through the encoder together (more when one sequence is longer).
inline constexpr std::size_t kChunkTokens = 512;

// Widths of everything, padded to whole vectors.
struct Widths {
  explicit Widths(const ModelConfig& config);

  Precision precision;
  std::size_t layers;
  std::size_t hidden, body, intermediate;  // H, t, I
  std::size_t embedding_input;             // what the embedding projection reads
  std::size_t heads, head;                 // A; t / A, not padded
  std::size_t head_padded;
  bool causal;
};

// Consecutive sequences that pass through the encoder together.
struct Chunk {
  std::size_t first, last;  // sequences [first, last)
};

// Keys and values of a layer, each sequence and head packed as the weights of a product. Those of
// the other precision are null: see attention_f32.cc and attention_s8.cc.
struct KeysValues {
  float* keys_f32 = nullptr;
  float* values_f32 = nullptr;
  std::int8_t* keys_s8 = nullptr;
  std::int32_t* key_compensation = nullptr;
  float* key_scale = nullptr;
  std::int8_t* values_s8 = nullptr;
  float* value_scale = nullptr;
};

// What the workers of a chunk share.
struct Stream {
  float* hidden = nullptr;     // [tokens][hidden]: between blocks
  float* residual = nullptr;   // [tokens][body]: inside a block; null without bottleneck
  float* query_f32 = nullptr;  // [tokens][body]; null in int8 models, as the others are in fp32
  std::uint8_t* query_s8 = nullptr;  // [tokens][heads][head_padded]
  float* query_scale = nullptr;      // [tokens][heads]
  KeysValues kv[2];                  // by layer % 2: one is read while the next is written
  // Where sequence b of the chunk begins in kv, in padded tokens; filled for each chunk.
  std::size_t* padded_offset = nullptr;
};

// Memory for the quantised heads of a panel: [rows][heads], head_padded bytes each.
struct QuantisedHeads {
  std::uint8_t* q = nullptr;
  float* scale = nullptr;
  std::int32_t* sum = nullptr;
};

// The activations of one panel inside a block.
struct PanelRows {
  Rows gathered;           // [rows][max(hidden, embedding_input)]: word vectors; rows for the heads
  Rows narrow;             // [rows][body]: the bottleneck of queries and keys
  Rows query, key, value;  // [rows][body]: before they are stored
  Rows context;            // [rows][body]
  Rows wide;               // [rows][max(intermediate, hidden)]
};

// Memory of one worker; workers that share a panel use the rows of the first.
struct Scratch {
  PanelRows rows;
  QuantisedRows quantised;
  QuantisedHeads heads;
  float* scores = nullptr;          // [strip][padded keys]
  std::uint8_t* weights = nullptr;  // [strip][padded keys]
  float* inverse = nullptr;         // [strip]
  float* factor = nullptr;          // [strip]
  float* head_out = nullptr;        // [strip][head_padded]
};

// What a workspace must hold.
struct WorkspaceSizes {
  std::size_t chunk_tokens = 0, chunk_sequences = 0;  // max over the chunks
  std::size_t longest = 0;                            // tokens of the longest sequence
  std::size_t streams = 0;                            // chunks at once
  std::size_t workers = 0;                            // threads
  std::size_t with_rows = 0;                          // workers with rows of their own
  bool by_columns = false;                            // workers share one panel
};

class Workspace {
 public:
  // Allocates only when the plan grew. Throws std::bad_alloc when there is no memory.
  void prepare(const Widths& widths, const WorkspaceSizes& sizes);
  // The size of a new workspace.
  static std::size_t bytes_for(const Widths& widths, const WorkspaceSizes& sizes);

  Stream& stream(std::size_t i) { return streams_[i]; }
  Scratch& scratch(std::size_t i) { return scratch_[i]; }
  std::vector<Chunk>& chunks() { return chunks_; }
  std::size_t bytes() const { return block_.size(); }

 private:
  AlignedArray<std::byte> block_;
  std::vector<Stream> streams_;
  std::vector<Scratch> scratch_;
  std::vector<Chunk> chunks_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_WORKSPACE_H_
