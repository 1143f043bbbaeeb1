// The engine: token ids -> embeddings -> blocks -> head -> numbers.
#ifndef MBRT_ENGINE_ENCODER_H_
#define MBRT_ENGINE_ENCODER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/thread_pool.h"
#include "engine/batch.h"
#include "engine/block.h"
#include "engine/embeddings.h"
#include "engine/heads.h"
#include "engine/outputs.h"
#include "engine/profile.h"
#include "engine/workspace.h"
#include "kernels/kernels.h"
#include "model/model_file.h"

namespace mbrt {

// Immutable after construction, apart from the workspaces that it keeps for the next calls; any
// number of threads may run it at the same time.
class Encoder {
 public:
  Encoder(std::shared_ptr<const ModelFile> file, const KernelSet& kernels);

  // Fills the outputs. Throws InputError for a batch that does not fit the model, CancelledError
  // and TimeoutError; outputs are then unspecified. Uses at most max_threads threads, the caller's
  // included. profile: what to write times to, or null; it changes no bit of the outputs.
  void run(const Batch& batch, const Outputs& outputs, const CallControl& control,
           std::size_t max_threads, Profile* profile = nullptr) const;

  // The workspace that such a run needs when none is idle; the same checks, but ids may be null.
  std::size_t planned_bytes(const Batch& batch, std::size_t max_threads) const;

  // Gives the memory of idle workspaces back and says how much it was.
  std::size_t trim() const;
  std::size_t workspace_bytes() const;

  const ModelFile& file() const { return *file_; }
  const ModelConfig& config() const { return file_->weights().config; }
  const KernelSet& kernels() const { return *kernels_; }
  const OutputShapes& shapes() const { return shapes_; }

 private:
  struct Call;
  void check(const Batch& batch) const;
  void check_masks(const Batch& batch) const;
  WorkspaceSizes plan(const Batch& batch, std::size_t max_threads,
                      std::vector<Chunk>& chunks) const;
  std::size_t column_sharers(std::size_t tokens, std::size_t max_threads) const;
  bool is_crowded() const;
  void adapt_backoff(bool has_parted) const;
  void run_member(Call& call, Team& team, std::size_t index) const;
  Verdict run_chunk(const ChunkView& view, const CallControl& control, Scratch& scratch,
                    Member& member) const;
  void write_hidden(const Panel& panel, std::size_t state) const;
  void write_state(const Panel& panel, std::size_t state, bool is_last) const;
  std::unique_ptr<Workspace> borrow_workspace() const;
  void return_workspace(std::unique_ptr<Workspace> workspace) const;

  std::shared_ptr<const ModelFile> file_;
  const KernelSet* kernels_;
  Widths widths_;
  OutputShapes shapes_;
  Embeddings embeddings_;
  std::unique_ptr<const Attention> attention_;
  std::vector<Block> blocks_;
  Heads heads_;
  mutable std::mutex workspaces_mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> workspaces_;
  // Until then calls do not share columns; for how long (ms) doubles when a team has to part, and
  // halves when one has not.
  mutable std::atomic<std::int64_t> alone_until_{0}, backoff_{0};
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_ENCODER_H_
