#include "engine/encoder.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/error.h"

namespace mbrt {

// One call on its way through the threads.
struct Encoder::Call {
  const Encoder* encoder;
  const Batch* batch;
  const Outputs* outputs;
  const CallControl* control;
  Workspace* workspace;
  Profile* profile;
  bool chunk_each;  // every member takes chunks of its own; else all work on one chunk at a time
  std::atomic<std::size_t> next_chunk{0};
  std::atomic<bool> stopped{false};
};

Encoder::Encoder(std::shared_ptr<const ModelFile> file, const KernelSet& kernels)
    : file_(std::move(file)),
      kernels_(&kernels),
      widths_(file_->weights().config),
      embeddings_(file_->weights(), kernels),
      attention_(Attention::make(file_->weights().config.precision, widths_, kernels)),
      heads_(file_->weights(), kernels) {
  const ModelWeights& weights = file_->weights();
  blocks_.reserve(weights.blocks.size());
  for (std::size_t i = 0; i < weights.blocks.size(); ++i) {
    blocks_.emplace_back(weights.blocks[i], weights.config, kernels, *attention_, i);
  }
}

// The whole model, for one member of a team and the panels that fall to it.
bool Encoder::run_chunk(const ChunkView& view, const CallControl& control, Scratch& scratch,
                        Team& team, std::size_t index) const {
  const Share share(view.tokens(), team.size, index);
  const auto meet = [&](bool stop, Stage stage) {
    const bool stopped = team.barrier.wait(stop);
    mark(scratch.lane, {Operation::kWaiting, stage}, 0);
    return stopped;
  };
  if (index == 0) Attention::place_sequences(view);
  if (meet(control.should_stop(), kCallStage)) return false;

  share.for_each([&](std::size_t first, std::size_t rows) {
    const Panel panel(view, scratch, first, rows);
    embeddings_.run(panel);
    write_hidden(panel, 0);
    blocks_.front().start(panel);
  });
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    // The one rendezvous of a layer: all keys and values of it are there, and those of the layer
    // before are free.
    if (meet(control.should_stop(), layer_stage(i))) return false;
    share.for_each([&](std::size_t first, std::size_t rows) {
      const Panel panel(view, scratch, first, rows);
      blocks_[i].finish(panel);
      write_hidden(panel, i + 1);
      if (i + 1 < blocks_.size()) blocks_[i + 1].start(panel);
    });
  }
  if (meet(control.should_stop(), kHeadStage)) return false;
  heads_.run(view, scratch, team.size, index);
  // The stream is free for the next chunk only when every head has read it.
  return !meet(false, kHeadStage);
}

void Encoder::run_member(Call& call, Team& team, std::size_t index) const {
  Workspace& workspace = *call.workspace;
  Scratch& scratch = workspace.scratch(index);
  scratch.lane = call.profile == nullptr ? nullptr : &call.profile->lane(index);
  scratch.quantised.lane = scratch.lane;
  mark(scratch.lane, {Operation::kWaiting, kCallStage}, 0);  // to be woken
  const std::vector<Chunk>& chunks = workspace.chunks();
  Team alone(1);
  const auto run_one = [&](std::size_t chunk, std::size_t stream, Team& members,
                           std::size_t member) {
    const ChunkView view{call.batch, call.outputs, &widths_, chunks[chunk],
                         &workspace.stream(stream)};
    return run_chunk(view, *call.control, scratch, members, member);
  };
  if (call.chunk_each) {
    for (std::size_t i; (i = call.next_chunk.fetch_add(1)) < chunks.size() && !call.stopped;) {
      if (!run_one(i, index, alone, 0)) call.stopped = true;
    }
    return;
  }
  for (std::size_t i = 0; i < chunks.size() && !call.stopped; ++i) {
    if (!run_one(i, 0, team, index)) call.stopped = true;
  }
}

void Encoder::run(const Batch& batch, const Outputs& outputs, const CallControl& control,
                  std::size_t max_threads, Profile* profile) const {
  check(batch);
  std::unique_ptr<Workspace> workspace = borrow_workspace();
  const WorkspaceSizes sizes = plan(batch, max_threads, workspace->chunks());
  workspace->prepare(widths_, sizes);
  const std::size_t members = sizes.members;
  Call call{this, &batch, &outputs, &control, workspace.get(), profile, sizes.streams > 1};
  if (profile != nullptr) profile->start(blocks_.size(), members);
  ThreadPool::instance().run(
      members,
      [](void* context, Team& team, std::size_t index) noexcept {
        Call& shared = *static_cast<Call*>(context);
        shared.encoder->run_member(shared, team, index);
      },
      &call);
  if (profile != nullptr) {
    mark(&profile->lane(0), {Operation::kWaiting, kCallStage}, 0);
    profile->stop();
  }
  return_workspace(std::move(workspace));
  if (!call.stopped) return;
  if (control.is_cancelled()) throw CancelledError("the call was cancelled by its caller");
  throw TimeoutError(
      "the call passed its deadline and was stopped; allow it more time, or give it less text");
}

// Cuts the batch into chunks. Many chunks are worked on side by side with no rendezvous; few are
// shared by all threads.
WorkspaceSizes Encoder::plan(const Batch& batch, std::size_t max_threads,
                             std::vector<Chunk>& chunks) const {
  max_threads = std::clamp<std::size_t>(max_threads, 1, kMaxThreads);
  const std::size_t tokens = batch.tokens();
  const std::size_t fair = (tokens + 2 * max_threads - 1) / (2 * max_threads);
  const std::size_t budget =
      max_threads == 1 ? kChunkTokens : std::clamp<std::size_t>(fair, 64, kChunkTokens);
  const auto cut = [&](std::size_t limit) {
    chunks.clear();
    for (std::size_t b = 0; b < batch.sequences; ++b) {
      const bool fits =
          !chunks.empty() && batch.offsets[b + 1] - batch.offsets[chunks.back().first] <= limit;
      if (fits) {
        chunks.back().last = b + 1;
      } else {
        chunks.push_back({b, b + 1});
      }
    }
  };
  cut(budget);
  const bool chunk_each = max_threads > 1 && chunks.size() >= 2 * max_threads;
  if (!chunk_each) cut(kChunkTokens);

  WorkspaceSizes sizes;
  for (const Chunk& chunk : chunks) {
    const std::size_t length = batch.offsets[chunk.last] - batch.offsets[chunk.first];
    sizes.chunk_tokens = std::max(sizes.chunk_tokens, length);
    sizes.chunk_sequences = std::max(sizes.chunk_sequences, chunk.last - chunk.first);
  }
  for (std::size_t b = 0; b < batch.sequences; ++b) {
    sizes.longest = std::max(sizes.longest, batch.length(b));
  }
  // A panel of eight rows is the least that is worth waking a thread for.
  const std::size_t useful = chunk_each ? max_threads : (sizes.chunk_tokens + 7) / 8;
  sizes.members = std::min(max_threads, useful);
  sizes.streams = chunk_each ? sizes.members : 1;
  return sizes;
}

std::size_t Encoder::planned_bytes(const Batch& batch, std::size_t max_threads) const {
  check(batch);
  std::vector<Chunk> chunks;
  return Workspace::bytes_for(widths_, plan(batch, max_threads, chunks));
}

// Hidden state `state` (0 = the embeddings) to where the caller wants it.
void Encoder::write_hidden(const Panel& panel, std::size_t state) const {
  const ChunkView& view = *panel.view;
  const Outputs& out = *view.outputs;
  const std::size_t width = widths_.hidden;
  const std::size_t token = view.first_token() + panel.first;
  const bool is_last = state == blocks_.size();
  if (is_last && out.last_hidden_state != nullptr) {
    std::memcpy(out.last_hidden_state + token * width, panel.hidden.x,
                panel.rows * width * sizeof(float));
  }
  if (out.hidden_states != nullptr) write_state(panel, state, is_last);
  const Stage stage = state == 0 ? kEmbeddingsStage : layer_stage(state - 1);
  mark(panel.scratch->lane, {Operation::kOutputs, stage}, panel.rows);
}

// With the channel scales of int8 taken out.
void Encoder::write_state(const Panel& panel, std::size_t state, bool is_last) const {
  const Outputs& out = *panel.view->outputs;
  const std::size_t width = widths_.hidden;
  const std::size_t token = panel.view->first_token() + panel.first;
  const float* scales = file_->weights().hidden_scale;
  float* to = out.hidden_states + (state * panel.view->batch->tokens() + token) * width;
  for (std::size_t row = 0; row < panel.rows; ++row) {
    const float* from = panel.hidden.x + row * width;
    for (std::size_t i = 0; i < width; ++i) {
      const bool scaled = scales != nullptr && !is_last;
      to[row * width + i] = scaled ? from[i] * scales[state * width + i] : from[i];
    }
  }
}

void Encoder::check(const Batch& batch) const {
  const ModelConfig& config = file_->weights().config;
  if (batch.sequences == 0) {
    throw InputError("the batch holds no sequence; give at least one");
  }
  for (std::size_t b = 0; b < batch.sequences; ++b) {
    const std::size_t length = batch.length(b);
    if (length >= 1 && length <= config.max_positions) continue;
    throw InputError("sequence " + std::to_string(b) + " has " + std::to_string(length) +
                     " tokens; this model takes 1 to " + std::to_string(config.max_positions) +
                     ": shorten or split it");
  }
  const auto check_range = [&](const std::int32_t* values, std::size_t limit, const char* what) {
    for (std::size_t b = 0; values != nullptr && b < batch.sequences; ++b) {
      for (std::size_t t = batch.offsets[b]; t < batch.offsets[b + 1]; ++t) {
        if (values[t] >= 0 && static_cast<std::size_t>(values[t]) < limit) continue;
        throw InputError(std::string(what) + " " + std::to_string(values[t]) + " in sequence " +
                         std::to_string(b) + ", token " + std::to_string(t - batch.offsets[b]) +
                         ", is outside this model's range 0 to " + std::to_string(limit - 1));
      }
    }
  };
  check_range(batch.ids, config.vocab_size, "token id");
  check_range(batch.types, std::max<std::size_t>(config.type_vocab_size, 1), "token type");
  check_masks(batch);
}

// A query with no key left has no defined result.
void Encoder::check_masks(const Batch& batch) const {
  const std::uint8_t* pairs = batch.pair_mask;
  for (std::size_t b = 0; b < batch.sequences; ++b) {
    const std::size_t length = batch.length(b);
    const auto any = [&](const std::uint8_t* mask) {
      return std::any_of(mask, mask + length, [](std::uint8_t m) { return m != 0; });
    };
    if (batch.key_mask != nullptr && !any(batch.key_mask + batch.offsets[b])) {
      throw InputError("the attention mask of sequence " + std::to_string(b) +
                       " hides every token; leave at least one to attend to");
    }
    for (std::size_t query = 0; pairs != nullptr && query < length; ++query, pairs += length) {
      if (any(pairs)) continue;
      throw InputError("the attention mask of sequence " + std::to_string(b) + ", query " +
                       std::to_string(query) +
                       ", hides every token; leave at least one to attend to");
    }
  }
}

// The lists are only ever tried: after fork() a child may find the mutex held by a thread that it
// does not have, and then works with workspaces of its own.
std::unique_ptr<Workspace> Encoder::borrow_workspace() const {
  std::unique_lock<std::mutex> lock(workspaces_mutex_, std::try_to_lock);
  if (!lock || workspaces_.empty()) return std::make_unique<Workspace>();
  std::unique_ptr<Workspace> workspace = std::move(workspaces_.back());
  workspaces_.pop_back();
  return workspace;
}

void Encoder::return_workspace(std::unique_ptr<Workspace> workspace) const {
  std::unique_lock<std::mutex> lock(workspaces_mutex_, std::try_to_lock);
  if (lock) workspaces_.push_back(std::move(workspace));
}

std::size_t Encoder::trim() const {
  const std::size_t bytes = workspace_bytes();
  std::unique_lock<std::mutex> lock(workspaces_mutex_, std::try_to_lock);
  if (!lock) return 0;
  workspaces_.clear();
  return bytes;
}

std::size_t Encoder::workspace_bytes() const {
  std::unique_lock<std::mutex> lock(workspaces_mutex_, std::try_to_lock);
  std::size_t bytes = 0;
  for (std::size_t i = 0; lock && i < workspaces_.size(); ++i) bytes += workspaces_[i]->bytes();
  return bytes;
}

}  // namespace mbrt
