// A panel: up to 32 consecutive tokens of a chunk, and where their activations are.
#ifndef MBRT_ENGINE_PANEL_H_
#define MBRT_ENGINE_PANEL_H_

#include <algorithm>
#include <cstddef>

#include "engine/batch.h"
#include "engine/outputs.h"
#include "engine/worker.h"
#include "engine/workspace.h"

namespace mbrt {

// A chunk in the encoder: all that a panel can see of its surroundings.
struct ChunkView {
  const Batch* batch;
  const Outputs* outputs;
  const Widths* widths;
  Chunk chunk;
  Stream* stream;

  std::size_t first_token() const { return batch->offsets[chunk.first]; }
  std::size_t tokens() const { return batch->offsets[chunk.last] - first_token(); }
};

struct Panel {
  Panel(const ChunkView& view_, const Scratch& scratch_, std::size_t first_, std::size_t rows_)
      : view(&view_), scratch(&scratch_), first(first_), rows(rows_) {
    const Widths& w = *view->widths;
    hidden = {.x = view->stream->hidden + first * w.hidden, .stride = w.hidden};
    residual = {.x = view->stream->residual + first * w.body, .stride = w.body};
  }

  const ChunkView* view;
  const Scratch* scratch;
  std::size_t first;  // token in the chunk
  std::size_t rows;
  Rows hidden;    // the stream between blocks
  Rows residual;  // the stream inside a block, where there is a bottleneck
};

// A worker's rows of a chunk, cut into panels of even height.
class WorkerRows {
 public:
  WorkerRows(std::size_t rows, const Worker& worker)
      : begin_(cut(rows, worker.row_parts(), worker.row_part())),
        end_(cut(rows, worker.row_parts(), worker.row_part() + 1)) {
    const std::size_t panels = (end_ - begin_ + kPanelRows - 1) / kPanelRows;
    if (panels > 0) height_ = std::min(kPanelRows, round_up((end_ - begin_ + panels - 1) / panels));
  }

  // A worker gets at least four rows: with fewer, reading all the weights costs too much.
  static std::size_t useful_workers(std::size_t rows, std::size_t workers) {
    return std::clamp<std::size_t>(rows / kMinRows, 1, workers);
  }
  // The max number of rows of any worker.
  static std::size_t max_rows(std::size_t rows, std::size_t workers) {
    return (rows + workers - 1) / workers;
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t row = begin_; row < end_; row += height_) {
      visit(row, std::min(height_, end_ - row));
    }
  }

 private:
  static constexpr std::size_t kMinRows = 4;
  static constexpr std::size_t kTileRows = 8;  // kernels are fastest on multiples of this
  static std::size_t round_up(std::size_t n) { return (n + kTileRows - 1) / kTileRows * kTileRows; }
  static std::size_t cut(std::size_t rows, std::size_t workers, std::size_t index) {
    return rows * index / workers;
  }

  std::size_t begin_, end_, height_ = kPanelRows;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_PANEL_H_
