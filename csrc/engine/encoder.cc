#include "engine/encoder.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <utility>

#include "engine/validate.h"

namespace mbrt {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

// One call, shared by its threads.
struct Encoder::Call {
  const Encoder* encoder;
  const Batch* batch;
  const Outputs* outputs;
  const CallControl* control;
  Workspace* workspace;
  Profile* profile;
  WorkspaceSizes sizes;
  // Of the first thread: whether others worked with it, and how long it waited for them.
  bool shared = false;
  Barrier::Duration waited{};
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
      heads_(file_->weights(), kernels),
      costs_(file_->weights()) {
  const ModelWeights& weights = file_->weights();
  blocks_.reserve(weights.blocks.size());
  for (std::size_t i = 0; i < weights.blocks.size(); ++i) {
    blocks_.emplace_back(weights.blocks[i], weights.config, kernels, *attention_, i);
  }
}

// The whole model, for one worker and its panels.
Progress Encoder::run_chunk(Worker& worker, const ChunkView& view, const Scratch& scratch,
                            const CallControl& control) const {
  const WorkerRows own(view.tokens(), worker);
  const auto for_each_panel = [&](auto visit) {
    own.for_each(
        [&](std::size_t first, std::size_t rows) { visit(Panel(view, scratch, first, rows)); });
  };
  const auto barrier = [&](Stage stage) {
    return worker.team_barrier(control.should_stop(), stage);
  };

  if (worker.is_first()) Attention::place_sequences(view);
  if (const Progress p = barrier(kCallStage); p != Progress::kContinue) return p;
  for_each_panel([&](const Panel& panel) {
    embeddings_.run(worker, panel);
    write_hidden(worker, panel, 0);
    blocks_.front().start(worker, panel);
  });
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    // After this barrier all keys and values of layer i are stored, and those of layer i - 1 are
    // no longer read.
    if (const Progress p = barrier(layer_stage(i)); p != Progress::kContinue) return p;
    for_each_panel([&](const Panel& panel) {
      blocks_[i].finish(worker, panel);
      write_hidden(worker, panel, i + 1);
      if (i + 1 < blocks_.size()) blocks_[i + 1].start(worker, panel);
    });
  }
  if (const Progress p = barrier(kHeadStage); p != Progress::kContinue) return p;
  heads_.run(worker, view, scratch);
  return worker.team_barrier(false, kHeadStage);  // the next chunk overwrites the stream
}

// Writes hidden state `state` (0: the embeddings) to the outputs that hold it.
void Encoder::write_hidden(const Worker& worker, const Panel& panel, std::size_t state) const {
  const Outputs& out = *panel.view->outputs;
  const std::size_t width = widths_.hidden;
  const std::size_t token = panel.view->first_token() + panel.first;
  const bool is_last = state == blocks_.size();
  const Part own = worker.part(panel.rows);
  if (is_last && out.last_hidden_state != nullptr) {
    std::memcpy(out.last_hidden_state + (token + own.begin) * width,
                panel.hidden.x + own.begin * width, own.size() * width * sizeof(float));
  }
  if (out.hidden_states != nullptr) {
    // Inside an int8 model the channels are scaled, but for the last state.
    const float* scales = is_last ? nullptr : file_->weights().hidden_scale;
    float* to = out.hidden_states + (state * panel.view->batch->tokens() + token) * width;
    for (std::size_t row = own.begin; row < own.end; ++row) {
      const float* from = panel.hidden.x + row * width;
      for (std::size_t i = 0; i < width; ++i) {
        to[row * width + i] = scales == nullptr ? from[i] : from[i] * scales[state * width + i];
      }
    }
  }
  const Stage stage = state == 0 ? kEmbeddingsStage : layer_stage(state - 1);
  worker.mark({Operation::kOutputs, stage}, panel.rows);
}

void Encoder::run_worker(Call& call, ThreadTeam& team, std::size_t index) const {
  Workspace& workspace = *call.workspace;
  const WorkspaceSizes& sizes = call.sizes;
  const std::vector<Chunk>& chunks = workspace.chunks();
  Track* const track = call.profile == nullptr ? nullptr : &call.profile->track(index);
  mark(track, {Operation::kWaiting, kCallStage}, 0);  // to be woken
  if (index == 0) call.shared = team.size > 1;
  const auto run = [&](std::size_t chunk, std::size_t stream, Worker worker) {
    const ChunkView view{.batch = call.batch,
                         .outputs = call.outputs,
                         .widths = &widths_,
                         .chunk = chunks[chunk],
                         .stream = &workspace.stream(stream)};
    const Progress progress = run_chunk(worker, view, workspace.scratch(index), *call.control);
    if (progress == Progress::kStop) call.stopped = true;
    if (index == 0) call.waited += worker.waited();
  };
  if (sizes.streams > 1) {  // each worker takes chunks of its own
    for (std::size_t i; (i = call.next_chunk.fetch_add(1)) < chunks.size() && !call.stopped;) {
      run(i, index, Worker(track));
    }
    return;
  }
  for (std::size_t i = 0; i < chunks.size() && !call.stopped; ++i) {  // all work on one chunk
    run(i, 0, Worker(team, index, sizes.by_columns, track));
  }
}

void Encoder::run(const Batch& batch, const Outputs& outputs, const CallControl& control,
                  std::size_t max_threads, Profile* profile, std::optional<Sharing> sharing) const {
  validate(batch, config());
  std::unique_ptr<Workspace> workspace = workspaces_.borrow();
  const Plan plan = plan_call(batch, costs_, max_threads, workspace->chunks(), sharing);
  workspace->prepare(widths_, plan.sizes);
  Call call{.encoder = this,
            .batch = &batch,
            .outputs = &outputs,
            .control = &control,
            .workspace = workspace.get(),
            .profile = profile,
            .sizes = plan.sizes};
  const bool may_share = plan.sizes.streams > 1 || sharing || back_off_.is_over(Clock::now());
  if (profile != nullptr) profile->start(blocks_.size(), plan.sizes.workers);
  run_team(call, may_share ? plan.sizes.workers : 1, plan.speedup);
  if (profile != nullptr) {
    mark(&profile->track(0), {Operation::kWaiting, kCallStage}, 0);  // for the others to return
    profile->stop();
  }
  workspaces_.give_back(std::move(workspace));
  if (call.stopped) throw_stopped(control);
}

// speedup: see Plan.
void Encoder::run_team(Call& call, std::size_t max_threads, double speedup) const {
  const Clock::time_point began = Clock::now();
  ThreadPool::instance().run(
      max_threads,
      [](void* context, ThreadTeam& team, std::size_t index) noexcept {
        Call& shared = *static_cast<Call*>(context);
        shared.encoder->run_worker(shared, team, index);
      },
      &call);
  if (call.sizes.streams > 1 || !call.shared || call.stopped) return;
  const Clock::time_point now = Clock::now();
  back_off_.report(now, now - began, call.waited, speedup);
}

std::size_t Encoder::planned_bytes(const Batch& batch, std::size_t max_threads) const {
  validate(batch, config());
  std::vector<Chunk> chunks;
  return Workspace::bytes_for(widths_, plan_call(batch, costs_, max_threads, chunks).sizes);
}

}  // namespace mbrt
