// The functions of mobilebert_rt.h about calls.
#include <algorithm>
#include <utility>

#include "capi/status.h"
#include "capi/tables.h"

namespace mbrt::capi {

Hold::Hold(mbrt_call handle) : call_(call_of(handle)) {
  if (call_->in_use.exchange(true, std::memory_order_acquire)) {
    throw Failure(MBRT_ERROR_BUSY,
                  "call: in use by another thread. Wait until that function returns.");
  }
  if (!call_->freed) return;
  call_->in_use.store(false, std::memory_order_release);
  throw Failure(MBRT_ERROR_HANDLE, "invalid call handle");
}

Text text_of_pair(const char* first, std::size_t first_bytes, const char* second,
                  std::size_t second_bytes) {
  Text text{text_of(first, first_bytes, "first"), {}};
  if (second != nullptr) text.second = text_of(second, second_bytes, "second");
  return text;
}

std::vector<mbrt_token> tokens_of(const text::Encoding& encoding) {
  std::vector<mbrt_token> tokens(encoding.ids.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = {encoding.ids[i],  encoding.types[i], encoding.part[i],
                 encoding.word[i], encoding.begin[i], encoding.end[i]};
  }
  return tokens;
}

namespace {

void add_text(mbrt_call call, const Text& text) {
  const Hold held(call);
  held->model->text();  // throws for a model without a tokenizer
  Item item;
  item.is_text = true;
  item.first = text.first;
  if (text.second) item.second.emplace(*text.second);
  held->items.push_back(std::move(item));
}

void check_item(std::size_t item, std::size_t items) {
  if (item >= items) fail_index("item", item, items);
}

Matrix matrix_of(const Call& call, std::uint32_t output, std::size_t layer, std::size_t item) {
  const std::size_t number = output_number(output);
  if ((call.results.outputs & output) == 0) {
    throw Failure(MBRT_ERROR_NO_RESULT,
                  "output: not computed by the last run. Request it with mbrt_call_set_outputs and "
                  "run the call.");
  }
  check_item(item, call.results.layout.items());
  const std::size_t layers = output == MBRT_HIDDEN_STATES ? call.model->config().num_layers + 1 : 1;
  if (layer >= layers) fail_index("layer", layer, layers);
  return call.buffers.matrix(*call.model, call.results.layout, number, layer, item);
}

const std::vector<Found>& found_of(const Call& call, std::size_t item) {
  if (!call.results.found) {
    throw Failure(MBRT_ERROR_NO_RESULT,
                  "no results of a task. Set one with mbrt_call_set_task and run the call.");
  }
  check_item(item, call.results.found->size());
  return (*call.results.found)[item];
}

}  // namespace
}  // namespace mbrt::capi

using namespace mbrt::capi;

extern "C" {

mbrt_status mbrt_call_new(mbrt_model model, mbrt_call* call) {
  return guarded([&] {
    auto held = model_of(model);
    require(call, "call");
    *call = {Tables::instance().calls.add(std::make_shared<Call>(std::move(held)))};
  });
}

mbrt_status mbrt_call_free(mbrt_call call) {
  return on_call(call, [&](Call& held) {
    Tables::instance().calls.remove(call.id);
    held.freed = true;
  });
}

mbrt_status mbrt_call_clear(mbrt_call call) {
  return on_call(call, [&](Call& held) {
    held.items.clear();
    held.results.clear();
    held.cancelled = false;
  });
}

mbrt_status mbrt_call_add_ids(mbrt_call call, const int32_t* ids, const int32_t* types,
                              const uint8_t* key_mask, size_t count) {
  return on_call(call, [&](Call& held) {
    require(ids, "ids");
    Item item;
    const std::size_t max = held.model->config().max_positions;
    if (count < 1 || count > max) fail_range("count", count, 1, max);
    item.ids.assign(ids, ids + count);
    if (types != nullptr) item.types.assign(types, types + count);
    if (key_mask != nullptr) item.key_mask.assign(key_mask, key_mask + count);
    held.items.push_back(std::move(item));
  });
}

mbrt_status mbrt_call_add_text(mbrt_call call, const char* text, size_t bytes) {
  return guarded([&] { add_text(call, {text_of(text, bytes, "text"), {}}); });
}

mbrt_status mbrt_call_add_pair(mbrt_call call, const char* first, size_t first_bytes,
                               const char* second, size_t second_bytes) {
  return guarded([&] {
    add_text(call, {text_of(first, first_bytes, "first"), text_of(second, second_bytes, "second")});
  });
}

mbrt_status mbrt_call_set_outputs(mbrt_call call, uint32_t outputs) {
  return on_call(call, [&](Call& held) {
    check_outputs(*held.model, outputs);
    held.settings.outputs = outputs;
    held.settings.task = {};
  });
}

mbrt_status mbrt_call_set_logit_tokens(mbrt_call call, size_t item, const size_t* tokens,
                                       size_t count) {
  return on_call(call, [&](Call& held) {
    check_item(item, held.items.size());
    if (count > 0) require(tokens, "tokens");
    if (!held.model->encoder().shapes().logits.per_token) {
      throw mbrt::UnsupportedModelError(
          "the model's logits have one row per item; expected one row per token.");
    }
    for (std::size_t i = 1; i < count; ++i) {
      if (tokens[i] <= tokens[i - 1]) {
        throw mbrt::InputError("tokens[" + std::to_string(i) + "]: " + std::to_string(tokens[i]) +
                               "; expected ascending numbers.");
      }
    }
    held.items[item].logit_tokens.emplace(tokens, tokens + count);
  });
}

mbrt_status mbrt_call_set_task(mbrt_call call, mbrt_task task, const mbrt_task_options* options) {
  return on_call(call, [&](Call& held) {
    const mbrt_task_options read = read_struct(options, sizeof(mbrt_task_options), "options");
    held.settings.task = task_settings(*held.model, task, read);
  });
}

mbrt_status mbrt_call_set_threads(mbrt_call call, size_t threads) {
  return on_call(call, [&](Call& held) {
    if (threads != 0) thread_count(threads);
    held.settings.threads = threads;
  });
}

mbrt_status mbrt_call_set_timeout(mbrt_call call, double seconds) {
  return on_call(call, [&](Call& held) {
    if (!(seconds >= 0)) {
      throw mbrt::InputError("seconds: negative or NaN; expected 0 or more, or INFINITY.");
    }
    held.settings.timeout = seconds;
  });
}

mbrt_status mbrt_call_set_limits(mbrt_call call, size_t max_tokens, mbrt_overflow overflow,
                                 size_t stride) {
  return on_call(call, [&](Call& held) {
    const std::size_t max = held.model->config().max_positions;
    if (max_tokens > max) fail_range("max_tokens", max_tokens, 0, max);
    choice(kOverflows, overflow, "overflow");
    held.settings.max_tokens = max_tokens;
    held.settings.overflow = overflow;
    held.settings.stride = stride;
  });
}

mbrt_status mbrt_call_set_embedding(mbrt_call call, const mbrt_embedding_options* options) {
  return on_call(call, [&](Call& held) {
    const mbrt_embedding_options read =
        read_struct(options, sizeof(mbrt_embedding_options), "options");
    constexpr std::optional<bool> kNormalize[] = {std::nullopt, true, false};
    mbrt::EmbedderOptions embedding;
    if (read.prompt != nullptr) embedding.prompt = read.prompt;
    if (read.prompt_name != nullptr) embedding.prompt_name = read.prompt_name;
    if (read.truncate_dim != 0) embedding.truncate_dim = read.truncate_dim;
    embedding.normalize = choice(kNormalize, read.normalize, "normalize");
    mbrt::prompt_of(held.model->sentence(), embedding);  // throws for an unknown name
    held.settings.embedding = embedding;
  });
}

mbrt_status mbrt_call_run(mbrt_call call) {
  return on_call(call, [](Call& held) { held.run(); });
}

mbrt_status mbrt_call_cancel(mbrt_call call) {
  return guarded([&] { call_of(call)->cancelled = true; });
}

mbrt_status mbrt_call_view(mbrt_call call, uint32_t output, size_t layer, size_t item,
                           mbrt_view* view) {
  return on_call(call, [&](Call& held) {
    check_struct(view, sizeof(mbrt_view), "view");
    const Matrix matrix = matrix_of(held, output, layer, item);
    write_struct(view, {0, matrix.data, matrix.rows, matrix.columns, matrix.stride});
  });
}

mbrt_status mbrt_call_copy(mbrt_call call, uint32_t output, size_t layer, size_t item, float* to,
                           size_t capacity, size_t* needed) {
  return on_call(call, [&](Call& held) {
    if (capacity > 0) require(to, "to");
    const Matrix matrix = matrix_of(held, output, layer, item);
    const std::size_t size = matrix.rows * matrix.columns;
    if (needed != nullptr) *needed = size;
    require_capacity(size, capacity, "floats");
    for (std::size_t row = 0; row < matrix.rows; ++row) {
      std::copy_n(matrix.data + row * matrix.stride, matrix.columns, to + row * matrix.columns);
    }
  });
}

mbrt_status mbrt_call_tokens(mbrt_call call, size_t item, const mbrt_token** tokens,
                             size_t* count) {
  return on_call(call, [&](Call& held) {
    require(tokens, "tokens");
    require(count, "count");
    const auto& found = held.results.tokens;
    if (!found.empty()) check_item(item, found.size());
    if (found.empty() || found[item].empty()) {
      throw Failure(MBRT_ERROR_NO_RESULT,
                    "no tokens: the item is token ids, or the last run did a task or computed only "
                    "MBRT_EMBEDDING.");
    }
    *tokens = found[item].data();
    *count = found[item].size();
  });
}

mbrt_status mbrt_call_result_count(mbrt_call call, size_t item, size_t* count) {
  return on_call(call, [&](Call& held) {
    require(count, "count");
    *count = found_of(held, item).size();
  });
}

mbrt_status mbrt_call_result(mbrt_call call, size_t item, size_t index, mbrt_result* result) {
  return on_call(call, [&](Call& held) {
    check_struct(result, sizeof(mbrt_result), "result");
    const std::vector<Found>& all = found_of(held, item);
    if (index >= all.size()) fail_index("index", index, all.size());
    const Found& found = all[index];
    write_struct(result, {0, found.label.c_str(), found.text.c_str(), found.text.size(),
                          found.begin, found.end, found.group, found.id, found.score});
  });
}

}  // extern "C"
