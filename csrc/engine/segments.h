// The rows of a panel by the sequences they belong to.
#ifndef MBRT_ENGINE_SEGMENTS_H_
#define MBRT_ENGINE_SEGMENTS_H_

#include <algorithm>
#include <cstddef>

#include "engine/panel.h"

namespace mbrt {

// Rows of a panel that belong to one sequence.
struct Segment {
  std::size_t sequence;   // in the batch
  std::size_t panel_row;  // first row in the panel
  std::size_t position;   // its position in the sequence
  std::size_t rows;
  std::size_t length;    // of the sequence
  std::size_t kv_token;  // where the sequence begins in the chunk's keys and values
};

template <typename Visit>
void for_each_segment(const Panel& panel, Visit visit) {
  const ChunkView& view = *panel.view;
  const Batch& batch = *view.batch;
  const std::size_t* offsets = batch.offsets;
  std::size_t token = view.first_token() + panel.first;
  const std::size_t end = token + panel.rows;
  const std::size_t* next =
      std::upper_bound(offsets + view.chunk.first, offsets + view.chunk.last, token);
  std::size_t row = 0;
  for (std::size_t b = static_cast<std::size_t>(next - offsets) - 1; token < end; ++b) {
    const std::size_t rows = std::min(end, offsets[b + 1]) - token;
    visit(Segment{b, row, token - offsets[b], rows, batch.length(b),
                  view.stream->padded_offset[b - view.chunk.first]});
    token += rows;
    row += rows;
  }
}

}  // namespace mbrt

#endif  // MBRT_ENGINE_SEGMENTS_H_
