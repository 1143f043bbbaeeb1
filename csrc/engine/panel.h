// A panel: up to 32 consecutive tokens of a chunk, and where their activations are.
#ifndef MBRT_ENGINE_PANEL_H_
#define MBRT_ENGINE_PANEL_H_

#include <algorithm>
#include <cstddef>

#include "engine/batch.h"
#include "engine/member.h"
#include "engine/outputs.h"
#include "engine/workspace.h"

namespace mbrt {

// A chunk on its way through the encoder: everything a panel can see of its surroundings.
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
  Panel(const ChunkView& view_, Scratch& scratch_, std::size_t first_, std::size_t rows_)
      : view(&view_), scratch(&scratch_), first(first_), rows(rows_) {
    const Widths& w = *view->widths;
    hidden = {view->stream->hidden + first * w.hidden, w.hidden};
    residual = {view->stream->residual + first * w.body, w.body};
  }

  const ChunkView* view;
  Scratch* scratch;
  std::size_t first;  // token in the chunk
  std::size_t rows;
  Rows hidden;    // the stream between blocks
  Rows residual;  // the stream inside a block, where there is a bottleneck
};

// The tokens of a chunk that fall to one member of a team, cut into panels of even height.
class Share {
 public:
  Share(std::size_t tokens, const Member& member)
      : begin_(cut(tokens, member.row_shares(), member.row_share())),
        end_(cut(tokens, member.row_shares(), member.row_share() + 1)) {
    const std::size_t panels = (end_ - begin_ + kPanelRows - 1) / kPanelRows;
    if (panels > 0) height_ = std::min(kPanelRows, round_up((end_ - begin_ + panels - 1) / panels));
  }

  // Eight rows are the least that a thread takes: with fewer it would read all the weights for
  // nothing.
  static std::size_t useful_members(std::size_t tokens, std::size_t members) {
    return std::min(members, (tokens + kTileRows - 1) / kTileRows);
  }
  // The rows of the member who has most.
  static std::size_t tallest(std::size_t tokens, std::size_t members) {
    std::size_t rows = 0;
    for (std::size_t i = 0; i < members; ++i) {
      rows = std::max(rows, cut(tokens, members, i + 1) - cut(tokens, members, i));
    }
    return rows;
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t row = begin_; row < end_; row += height_) {
      visit(row, std::min(height_, end_ - row));
    }
  }

 private:
  static constexpr std::size_t kTileRows = 8;  // kernels are at their best on multiples of this
  static std::size_t round_up(std::size_t n) { return (n + kTileRows - 1) / kTileRows * kTileRows; }
  static std::size_t cut(std::size_t tokens, std::size_t members, std::size_t index) {
    return std::min(tokens, round_up(tokens * index / members));
  }

  std::size_t begin_, end_, height_ = kPanelRows;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_PANEL_H_
