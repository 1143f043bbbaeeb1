#include "engine/encoder.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/error.h"

namespace mbrt {
namespace {

// After a team had to part, calls do not try again for so many milliseconds.
constexpr std::int64_t kLeastBackoff = 2, kMostBackoff = 512;

std::int64_t milliseconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

// One call on its way through the threads.
struct Encoder::Call {
  const Encoder* encoder;
  const Batch* batch;
  const Outputs* outputs;
  const CallControl* control;
  Workspace* workspace;
  Profile* profile;
  WorkspaceSizes sizes;
  std::atomic<std::size_t> next_chunk{0};
  std::atomic<bool> stopped{false};
};

Encoder::Encoder(std::shared_ptr<const ModelFile> file, const KernelSet& kernels)
    : file_(std::move(file)),
      kernels_(&kernels),
      widths_(file_->weights().config),
      shapes_(file_->weights().config),
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
Verdict Encoder::run_chunk(const ChunkView& view, const CallControl& control, Scratch& scratch,
                           Member& member) const {
  const auto meet = [&](Stage stage) { return member.rendezvous(control.should_stop(), stage); };
  const Share share(view.tokens(), member);
  scratch.member = scratch.quantised.member = &member;
  if (member.is_first()) Attention::place_sequences(view);
  if (const Verdict v = meet(kCallStage); v != Verdict::kGoOn) return v;

  share.for_each([&](std::size_t first, std::size_t rows) {
    const Panel panel(view, scratch, first, rows);
    embeddings_.run(panel);
    write_hidden(panel, 0);
    blocks_.front().start(panel);
  });
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    // The rendezvous of the whole team: all keys and values of it are there, and those of the layer
    // before are free.
    if (const Verdict v = meet(layer_stage(i)); v != Verdict::kGoOn) return v;
    share.for_each([&](std::size_t first, std::size_t rows) {
      const Panel panel(view, scratch, first, rows);
      blocks_[i].finish(panel);
      write_hidden(panel, i + 1);
      if (i + 1 < blocks_.size()) blocks_[i + 1].start(panel);
    });
  }
  if (const Verdict v = meet(kHeadStage); v != Verdict::kGoOn) return v;
  heads_.run(view, scratch);
  // The stream is free for the next chunk only when every head has read it.
  return member.rendezvous(false, kHeadStage);
}

void Encoder::run_member(Call& call, Team& team, std::size_t index) const {
  Workspace& workspace = *call.workspace;
  Scratch& scratch = workspace.scratch(index);
  Lane* const lane = call.profile == nullptr ? nullptr : &call.profile->lane(index);
  mark(lane, {Operation::kWaiting, kCallStage}, 0);  // to be woken
  const std::vector<Chunk>& chunks = workspace.chunks();
  const auto run_one = [&](std::size_t chunk, std::size_t stream, Member member) {
    const ChunkView view{call.batch, call.outputs, &widths_, chunks[chunk],
                         &workspace.stream(stream)};
    const Verdict verdict = run_chunk(view, *call.control, scratch, member);
    if (verdict == Verdict::kStop) call.stopped = true;
    const bool has_shared = call.sizes.by_columns && team.size > 1 && verdict == Verdict::kGoOn;
    if (has_shared && member.is_first()) adapt_backoff(member.has_parted());
  };
  if (call.sizes.streams > 1) {  // each takes chunks of its own; else all work on one at a time
    for (std::size_t i; (i = call.next_chunk.fetch_add(1)) < chunks.size() && !call.stopped;) {
      run_one(i, index, Member(lane));
    }
    return;
  }
  for (std::size_t i = 0; i < chunks.size() && !call.stopped; ++i) {
    run_one(i, 0, Member(team, index, call.sizes.by_columns, lane));
  }
}

void Encoder::run(const Batch& batch, const Outputs& outputs, const CallControl& control,
                  std::size_t max_threads, Profile* profile) const {
  check(batch);
  std::unique_ptr<Workspace> workspace = borrow_workspace();
  WorkspaceSizes sizes = plan(batch, max_threads, workspace->chunks());
  workspace->prepare(widths_, sizes);
  if (sizes.by_columns && is_crowded()) {  // in a part of the same memory: the next call may not be
    sizes.by_columns = false;
    sizes.members = sizes.with_rows;
    workspace->prepare(widths_, sizes);
  }
  const std::size_t members = sizes.members;
  Call call{this, &batch, &outputs, &control, workspace.get(), profile, sizes};
  if (profile != nullptr) profile->start(blocks_.size(), members);
  ThreadPool::instance().run(
      members,
      [](void* context, Team& team, std::size_t index) noexcept {
        Call& shared = *static_cast<Call*>(context);
        shared.encoder->run_member(shared, team, index);
      },
      &call);
  if (profile != nullptr) {
    const std::size_t until_the_end = sizes.by_columns ? members : 1;  // some may have left
    for (std::size_t i = 0; i < until_the_end; ++i) {
      mark(&profile->lane(i), {Operation::kWaiting, kCallStage}, 0);
    }
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
  sizes.streams = chunk_each ? max_threads : 1;
  sizes.with_rows =
      chunk_each ? max_threads : Share::useful_members(sizes.chunk_tokens, max_threads);
  const std::size_t sharers = chunks.size() == 1 ? column_sharers(tokens, max_threads) : 1;
  sizes.by_columns = sharers > 1;
  sizes.members = sizes.by_columns ? sharers : sizes.with_rows;
  return sizes;
}

// How many threads should share the columns of one panel of so many tokens; 1: let them share its
// rows. That is the better way, with one rendezvous a layer and not one a product, unless the rows
// fall into shares of such heights that the whole team takes as long as three quarters of it would.
std::size_t Encoder::column_sharers(std::size_t tokens, std::size_t max_threads) const {
  const std::size_t sharers = std::min(max_threads, widths_.body / kLeastColumns);
  const std::size_t tallest = Share::tallest(tokens, Share::useful_members(tokens, max_threads));
  const bool fits = tokens <= kPanelRows && sharers > 1;
  return fits && 3 * tallest * sharers > 4 * tokens ? sharers : 1;
}

// Whether threads that meet for each product would wait for each other: others are at work, or it
// was so a moment ago.
bool Encoder::is_crowded() const {
  if (ThreadPool::instance().callers() > 0) return true;
  return milliseconds_now() < alone_until_.load(std::memory_order_relaxed);
}

// One call that is disturbed, as a first one is, counts little, and many in a row a lot.
void Encoder::adapt_backoff(bool has_parted) const {
  const std::int64_t before = backoff_.load(std::memory_order_relaxed);
  const std::int64_t after =
      has_parted ? std::clamp(2 * before, kLeastBackoff, kMostBackoff) : before / 2;
  backoff_.store(after, std::memory_order_relaxed);
  if (has_parted) alone_until_.store(milliseconds_now() + after, std::memory_order_relaxed);
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
    const Part own = panel.scratch->member->part(panel.rows);
    std::memcpy(out.last_hidden_state + (token + own.begin) * width,
                panel.hidden.x + own.begin * width, own.size() * width * sizeof(float));
  }
  if (out.hidden_states != nullptr) write_state(panel, state, is_last);
  const Stage stage = state == 0 ? kEmbeddingsStage : layer_stage(state - 1);
  panel.scratch->member->mark({Operation::kOutputs, stage}, panel.rows);
}

// With the channel scales of int8 taken out.
void Encoder::write_state(const Panel& panel, std::size_t state, bool is_last) const {
  const Outputs& out = *panel.view->outputs;
  const std::size_t width = widths_.hidden;
  const std::size_t token = panel.view->first_token() + panel.first;
  const float* scales = file_->weights().hidden_scale;
  float* to = out.hidden_states + (state * panel.view->batch->tokens() + token) * width;
  const Part own = panel.scratch->member->part(panel.rows);
  for (std::size_t row = own.begin; row < own.end; ++row) {
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
