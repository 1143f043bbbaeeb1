// A run: from items to results.
#include <algorithm>
#include <chrono>
#include <cstring>

#include "capi/call.h"
#include "capi/status.h"
#include "tasks/embedder.h"
#include "tasks/numeric.h"
#include "tasks/windows.h"

namespace mbrt::capi {
namespace {

// The limits of texts that become one sequence each.
Limits sequence_limits(const Model& model, const Settings& settings) {
  Limits limits;
  limits.max_length = model.config().max_positions;
  if ((settings.outputs & MBRT_EMBEDDING) != 0) {
    const std::size_t max = model.pooling().max_tokens.value_or(limits.max_length);
    limits.max_length = std::min(limits.max_length, max);
  }
  if (settings.max_tokens != 0) limits.max_length = settings.max_tokens;
  if (settings.overflow == MBRT_OVERFLOW_TRUNCATE) limits.on_overflow = OnOverflow::kTruncate;
  if (settings.overflow == MBRT_OVERFLOW_STRIDE) {
    throw InputError(
        "overflow: MBRT_OVERFLOW_STRIDE; these outputs need one sequence per item. Use "
        "MBRT_OVERFLOW_TRUNCATE or MBRT_OVERFLOW_ERROR.");
  }
  return limits;
}

// Adds the item's rows of logits, as positions in the packed batch; its tokens start at `first`.
void add_logit_tokens(const Item& item, std::size_t number, std::size_t first, std::size_t count,
                      std::vector<std::size_t>* to) {
  if (!item.logit_tokens) {
    for (std::size_t i = 0; i < count; ++i) to->push_back(first + i);
    return;
  }
  for (const std::size_t token : *item.logit_tokens) {
    if (token >= count) {
      throw InputError("item " + std::to_string(number) + ": logits of token " +
                       std::to_string(token) + " requested; it has " + std::to_string(count) +
                       " tokens, numbered from 0.");
    }
    to->push_back(first + token);
  }
}

}  // namespace

void Packed::add(const std::vector<std::int32_t>& item_ids,
                 const std::vector<std::int32_t>& item_types,
                 const std::vector<std::uint8_t>& item_mask) {
  ids.insert(ids.end(), item_ids.begin(), item_ids.end());
  types.insert(types.end(), item_types.begin(), item_types.end());
  key_mask.insert(key_mask.end(), item_mask.begin(), item_mask.end());
  has_types = has_types || !item_types.empty();
  has_mask = has_mask || !item_mask.empty();
  types.resize(ids.size(), 0);
  key_mask.resize(ids.size(), 1);
}

void Results::clear() { *this = {}; }

TaskOptions limits_of(const Settings& settings) {
  TaskOptions options;
  if (settings.max_tokens != 0) options.max_length = settings.max_tokens;
  if (settings.stride != 0) options.stride = settings.stride;
  options.on_overflow = kOverflows[settings.overflow];
  return options;
}

CallControl Call::start_control() const {
  CallControl control;
  control.cancelled = &cancelled;
  if (settings.has_timeout) {
    using std::chrono::steady_clock;
    const std::chrono::duration<double> wait(settings.timeout);
    control.deadline =
        steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(wait);
  }
  return control;
}

void Call::run() {
  results.clear();
  if (items.empty()) throw InputError("the call has no items. Add token ids or texts.");
  const CallControl control = start_control();
  try {
    throw_if_stopped(control);
    const bool all_texts =
        std::all_of(items.begin(), items.end(), [](const Item& item) { return item.is_text; });
    if (settings.task == MBRT_TASK_NONE) {
      if (all_texts && settings.outputs == MBRT_EMBEDDING) return run_embedder(control);
      return run_outputs(control);
    }
    std::vector<Text> texts;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!items[i].is_text) {
        throw InputError("item " + std::to_string(i) + ": token ids; a task needs texts.");
      }
      texts.push_back(items[i].text());
    }
    RunOptions run;
    run.threads = thread_count(settings.threads);
    run.control = control;
    results.found = run_task(*model, settings, texts, run);
  } catch (const CancelledError&) {
    cancelled = false;
    results.clear();
    throw;
  } catch (...) {
    results.clear();
    throw;
  }
}

// Only embeddings of only texts: the Embedder runs one batch at a time, which needs the memory of one
// batch's hidden states, and supports windows over long texts.
void Call::run_embedder(const CallControl& control) {
  const Embedder embedder(model->text(), {limits_of(settings), {}, {}});
  std::vector<Text> texts;
  texts.reserve(items.size());
  for (const Item& item : items) texts.push_back(item.text());
  RunOptions run;
  run.threads = thread_count(settings.threads);
  run.control = control;
  const std::vector<float> vectors = embedder.embed(texts, run);

  const std::size_t number = output_number(MBRT_EMBEDDING);
  std::array<std::size_t, kOutputs> sizes{};
  sizes[number] = vectors.size();
  std::copy(vectors.begin(), vectors.end(), buffers.prepare(sizes)[number]);
  results.layout.offsets.assign(items.size() + 1, 0);
  results.outputs = MBRT_EMBEDDING;
}

// Tokenizes the texts and packs the sequences of all items.
Packed Call::pack(const CallControl& control) {
  Packed packed;
  packed.chooses_logits =
      (settings.outputs & MBRT_LOGITS) != 0 && model->encoder().shapes().logits.per_token;
  Layout& layout = results.layout;
  layout.offsets.assign(1, 0);
  layout.logit_rows.assign(1, 0);
  results.tokens.resize(items.size());
  std::optional<Limits> limits;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    if (item.is_text) {
      if (!limits) limits = sequence_limits(*model, settings);
      RunOptions run{.threads = 1, .control = control, .first_index = i};
      const std::vector<Window> windows =
          encode_windows(model->text()->tokenizer(), {item.text()}, {0, 1}, *limits, run, true);
      const text::Encoding& encoding = windows[0].encoding;
      const bool has_types = model->config().type_vocab_size > 0;
      packed.add(encoding.ids, has_types ? encoding.types : std::vector<std::int32_t>{}, {});
      results.tokens[i] = tokens_of(encoding);
    } else {
      packed.add(item.ids, item.types, item.key_mask);
    }
    const std::size_t first = layout.offsets.back();
    layout.offsets.push_back(packed.ids.size());
    if (packed.chooses_logits) {
      add_logit_tokens(item, i, first, packed.ids.size() - first, &packed.logit_tokens);
    }
    layout.logit_rows.push_back(packed.chooses_logits ? packed.logit_tokens.size() : i + 1);
  }
  return packed;
}

void Call::run_outputs(const CallControl& control) {
  const Packed packed = pack(control);
  const Layout& layout = results.layout;
  Batch batch;
  batch.sequences = items.size();
  batch.offsets = layout.offsets.data();
  batch.ids = packed.ids.data();
  if (packed.has_types) batch.types = packed.types.data();
  if (packed.has_mask) batch.key_mask = packed.key_mask.data();
  const auto pointers = buffers.prepare(output_sizes(*model, settings.outputs, packed.ids.size(),
                                                     items.size(), layout.logit_rows.back()));
  Outputs outputs{.last_hidden_state = pointers[0],
                  .hidden_states = pointers[1],
                  .pooled = pointers[2],
                  .logits = pointers[3],
                  .next_sentence = pointers[4]};
  if (packed.chooses_logits) {
    outputs.logit_tokens = packed.logit_tokens.data();
    outputs.logit_token_count = packed.logit_tokens.size();
  }
  model->encoder().run(batch, outputs, control, thread_count(settings.threads));

  const std::size_t width = model->config().hidden_size;
  for (std::size_t i = 0; pointers[5] != nullptr && i < items.size(); ++i) {
    const Matrix states = buffers.matrix(*model, layout, 0, 0, i);
    std::vector<double> vector =
        pool({states.data, states.stride}, states.rows, width, model->pooling().mode);
    if (model->pooling().normalize) unit_row(vector.data(), width);
    std::copy(vector.begin(), vector.end(), pointers[5] + i * width);
  }
  results.outputs = settings.outputs;
}

}  // namespace mbrt::capi
