// The functions of mobilebert_rt.h about models.
#include <algorithm>
#include <utility>

#include "base/cpu_count.h"
#include "capi/outputs.h"
#include "capi/status.h"
#include "capi/tables.h"
#include "kernels/kernels.h"
#include "model/model_file.h"
#include "tasks/embedding_head.h"

namespace mbrt::capi {
namespace {

const KernelSet& kernels_of(const mbrt_model_options* options) {
  const mbrt_model_options read = read_struct(options, sizeof(mbrt_model_options), "options");
  return read.isa == nullptr ? default_kernel_set() : kernel_set(read.isa);
}

mbrt_model add(std::shared_ptr<const ModelFile> file, const KernelSet& kernels, std::string name) {
  return {Tables::instance().models.add(
      std::make_shared<Model>(std::move(file), kernels, std::move(name)))};
}

std::size_t embedding_size(const Model& model) {
  return EmbeddingHead(model.encoder(), {}).dimension();
}

mbrt_model_info info_of(const Model& model) {
  const ModelConfig& config = model.config();
  return {.struct_size = 0,
          .precision = config.precision == Precision::kInt8 ? MBRT_INT8 : MBRT_FP32,
          .head = static_cast<mbrt_head>(config.head),
          .outputs = model.outputs(),
          .has_tokenizer = model.has_tokenizer() ? 1 : 0,
          .vocab_size = config.vocab_size,
          .type_vocab_size = config.type_vocab_size,
          .hidden_size = config.hidden_size,
          .num_layers = config.num_layers,
          .num_heads = config.num_heads,
          .max_positions = config.max_positions,
          .num_labels = model.labels().size(),
          .logits_columns = model.encoder().shapes().logits.columns,
          .file_bytes = model.encoder().file().bytes(),
          .workspace_bytes = model.encoder().workspace_bytes(),
          .isa = model.encoder().kernels().isa,
          .embedding_size = embedding_size(model)};
}

static_assert(static_cast<int>(Head::kMaskedLm) == MBRT_HEAD_MASKED_LM &&
              static_cast<int>(Head::kMultipleChoice) == MBRT_HEAD_MULTIPLE_CHOICE);

mbrt_plan plan_of(const Model& model, const size_t* lengths, std::size_t sequences,
                  std::size_t threads, std::uint32_t outputs) {
  std::vector<std::size_t> offsets{0};
  for (std::size_t i = 0; i < sequences; ++i) {
    // Checked before the addition, so that the sum cannot overflow.
    const std::size_t max = model.config().max_positions;
    if (lengths[i] > max) fail_range("lengths", lengths[i], 1, max);
    offsets.push_back(offsets.back() + lengths[i]);
  }
  Batch batch;
  batch.sequences = sequences;
  batch.offsets = offsets.data();
  mbrt_plan plan{};
  plan.workspace_bytes = model.encoder().planned_bytes(batch, thread_count(threads));
  const std::size_t rows = model.encoder().shapes().logits.rows(batch.tokens(), sequences);
  plan.output_bytes = total_bytes(
      output_sizes(model, outputs, batch.tokens(), sequences, rows, embedding_size(model)));
  return plan;
}

}  // namespace

}  // namespace mbrt::capi

using namespace mbrt::capi;

extern "C" {

mbrt_status mbrt_model_open(const char* path, const mbrt_model_options* options,
                            mbrt_model* model) {
  return guarded([&] {
    require(path, "path");
    require(model, "model");
    const mbrt::KernelSet& kernels = kernels_of(options);
    *model = add(mbrt::ModelFile::open(path), kernels, path);
  });
}

mbrt_status mbrt_model_open_memory(const void* data, size_t size, void (*release)(void* context),
                                   void* context, const mbrt_model_options* options,
                                   mbrt_model* model) {
  return guarded([&] {
    // First, since release must be called in every case. Without memory for the owner, this calls it.
    std::shared_ptr<const void> owner;
    if (release != nullptr) owner = {context, [release](void* with) { release(with); }};
    require(data, "data");
    require(model, "model");
    const mbrt::KernelSet& kernels = kernels_of(options);
    *model =
        add(mbrt::ModelFile::from_memory(data, size, std::move(owner)), kernels, "model in memory");
  });
}

mbrt_status mbrt_model_close(mbrt_model model) {
  return guarded([&] {
    if (Tables::instance().models.remove(model.id) == nullptr) model_of(model);  // throws
  });
}

mbrt_status mbrt_model_get_info(mbrt_model model, mbrt_model_info* info) {
  return on_model(model, [&](const Model& held) {
    check_struct(info, sizeof(mbrt_model_info), "info");
    write_struct(info, info_of(held));
  });
}

mbrt_status mbrt_model_metadata(mbrt_model model, const char* key, const char** value,
                                size_t* bytes) {
  return on_model(model, [&](const Model& held) {
    require(key, "key");
    require(value, "value");
    const mbrt::Metadata& metadata = held.encoder().file().metadata();
    const auto entry = metadata.find(key);
    if (entry == metadata.end()) {
      throw mbrt::InputError("key: the model's metadata has no \"" + std::string(key) + "\".");
    }
    *value = entry->second.c_str();
    if (bytes != nullptr) *bytes = entry->second.size();
  });
}

mbrt_status mbrt_model_label(mbrt_model model, size_t index, const char** label) {
  return on_model(model, [&](const Model& held) {
    require(label, "label");
    const std::vector<std::string>& labels = held.labels();
    if (index >= labels.size()) fail_index("index", index, labels.size());
    *label = labels[index].c_str();
  });
}

mbrt_status mbrt_model_tokenize(mbrt_model model, const char* first, size_t first_bytes,
                                const char* second, size_t second_bytes, mbrt_token* tokens,
                                size_t capacity, size_t* count) {
  return on_model(model, [&](const Model& held) {
    require(count, "count");
    if (capacity > 0) require(tokens, "tokens");
    const mbrt::Text text = text_of_pair(first, first_bytes, second, second_bytes);
    const std::vector<mbrt_token> found = tokens_of(held.text()->tokenizer().encode(text, true));
    *count = found.size();
    require_capacity(found.size(), capacity, "tokens");
    std::copy(found.begin(), found.end(), tokens);
  });
}

mbrt_status mbrt_model_piece(mbrt_model model, int32_t id, char* piece, size_t capacity,
                             size_t* needed) {
  return on_model(model, [&](const Model& held) {
    if (capacity > 0) require(piece, "piece");
    const std::string found = held.text()->tokenizer().piece(id);
    if (found.empty()) {
      throw mbrt::InputError("id: the vocabulary has no piece " + std::to_string(id) + ".");
    }
    if (needed != nullptr) *needed = found.size() + 1;
    require_capacity(found.size() + 1, capacity, "bytes");
    std::copy(found.begin(), found.end(), piece);
    piece[found.size()] = '\0';
  });
}

mbrt_status mbrt_model_plan(mbrt_model model, const size_t* lengths, size_t sequences,
                            size_t threads, uint32_t outputs, mbrt_plan* plan) {
  return on_model(model, [&](const Model& held) {
    check_struct(plan, sizeof(mbrt_plan), "plan");
    if (sequences > 0) require(lengths, "lengths");
    check_outputs(held, outputs);
    write_struct(plan, plan_of(held, lengths, sequences, threads, outputs));
  });
}

mbrt_status mbrt_model_trim(mbrt_model model, size_t* freed) {
  return on_model(model, [&](const Model& held) {
    const std::size_t bytes = held.encoder().trim();
    if (freed != nullptr) *freed = bytes;
  });
}

}  // extern "C"
