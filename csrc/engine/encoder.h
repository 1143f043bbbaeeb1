// The engine: token ids -> embeddings -> blocks -> head -> numbers.
#ifndef MBRT_ENGINE_ENCODER_H_
#define MBRT_ENGINE_ENCODER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/call_control.h"
#include "base/thread_pool.h"
#include "engine/batch.h"
#include "engine/block.h"
#include "engine/embeddings.h"
#include "engine/heads.h"
#include "engine/outputs.h"
#include "engine/profile.h"
#include "engine/schedule.h"
#include "engine/workspace_pool.h"
#include "kernels/kernels.h"
#include "model/model_file.h"

namespace mbrt {

// Immutable after construction, apart from the workspaces that it keeps for the next calls; any
// number of threads may run it at the same time.
class Encoder {
 public:
  Encoder(std::shared_ptr<const ModelFile> file, const KernelSet& kernels);

  // Writes the outputs. Throws InputError for a batch that does not fit the model, CancelledError
  // and TimeoutError; outputs are then unspecified. Uses up to max_threads threads, including the
  // caller's. profile: where times are recorded, or null; it does not change the outputs. sharing:
  // how threads share a chunk, even where one thread is faster; for tests.
  void run(const Batch& batch, const Outputs& outputs, const CallControl& control,
           std::size_t max_threads, Profile* profile = nullptr,
           std::optional<Sharing> sharing = std::nullopt) const;

  // The size of the workspace that such a run needs; the same checks, but batch.ids may be null.
  std::size_t planned_bytes(const Batch& batch, std::size_t max_threads) const;

  // Frees the idle workspaces; returns their bytes.
  std::size_t trim() const { return workspaces_.trim(); }
  std::size_t workspace_bytes() const { return workspaces_.bytes(); }

  const ModelFile& file() const { return *file_; }
  const ModelConfig& config() const { return file_->weights().config; }
  const KernelSet& kernels() const { return *kernels_; }
  const OutputShapes& shapes() const { return shapes_; }

 private:
  struct Call;
  void run_team(Call& call, std::size_t max_threads, double speedup) const;
  void run_worker(Call& call, ThreadTeam& team, std::size_t index) const;
  Progress run_chunk(Worker& worker, const ChunkView& view, const Scratch& scratch,
                     const CallControl& control) const;
  void write_hidden(const Worker& worker, const Panel& panel, std::size_t state) const;

  std::shared_ptr<const ModelFile> file_;
  const KernelSet* kernels_;
  Widths widths_;
  OutputShapes shapes_;
  Embeddings embeddings_;
  std::unique_ptr<const Attention> attention_;
  std::vector<Block> blocks_;
  Heads heads_;
  mutable WorkspacePool workspaces_;
  CostModel costs_;
  mutable BackOff back_off_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_ENCODER_H_
