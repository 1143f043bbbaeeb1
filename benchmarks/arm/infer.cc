// infer MODEL TOKENS RUNS ISA: runs one text of TOKENS tokens through the model, RUNS times, on one
// thread. It prints nothing: an emulator counts its instructions, and the difference between two
// numbers of runs is the runs' own, since start-up, loading and first-run allocations are in both.
//
// With RUNS = 0 it prints the bytes of weights that a run reads.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "engine/encoder.h"
#include "engine/profile.h"
#include "kernels/kernels.h"
#include "model/model_file.h"

namespace {

std::uint64_t weight_bytes(const mbrt::Profile& profile) {
  std::uint64_t bytes = 0;
  for (std::size_t stage = 0; stage < profile.stages(); ++stage) {
    for (std::size_t operation = 0; operation < mbrt::kOperations; ++operation) {
      bytes += profile.track(0).total(stage, operation).weight_bytes;
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::fprintf(stderr, "usage: infer MODEL TOKENS RUNS ISA\n");
    return 2;
  }
  const std::size_t tokens = std::stoul(argv[2]);
  const std::size_t runs = std::stoul(argv[3]);
  const mbrt::Encoder encoder(mbrt::ModelFile::open(argv[1]), mbrt::kernel_set(argv[4]));

  // Neither the instructions nor their order depend on the ids.
  std::vector<std::int32_t> ids(tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    ids[i] = static_cast<std::int32_t>((i * 7919 + 101) % encoder.config().vocab_size);
  }
  const std::vector<std::size_t> offsets{0, tokens};
  mbrt::Batch batch;
  batch.sequences = 1;
  batch.offsets = offsets.data();
  batch.ids = ids.data();
  std::vector<float> hidden(tokens * encoder.shapes().hidden.stride());
  std::vector<float> pooled(encoder.shapes().pooled.stride());
  mbrt::Outputs outputs;
  outputs.last_hidden_state = hidden.data();
  outputs.pooled = pooled.data();
  for (std::size_t run = 0; run < runs; ++run) encoder.run(batch, outputs, {}, 1);
  if (runs == 0) {
    mbrt::Profile profile(encoder.config().num_layers, 1);
    encoder.run(batch, outputs, {}, 1, &profile);
    std::printf("%llu\n", static_cast<unsigned long long>(weight_bytes(profile)));
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "infer: %s\n", error.what());
  return 1;
}
