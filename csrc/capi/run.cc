// A run: from items to results.
#include <algorithm>

#include "capi/call.h"
#include "capi/status.h"
#include "tasks/embedder.h"
#include "tasks/windows.h"

namespace mbrt::capi {
namespace {

// The limits of texts that become one sequence each.
Limits sequence_limits(const Model& model, const Settings& settings) {
  if (settings.overflow == MBRT_OVERFLOW_STRIDE) {
    throw InputError(
        "overflow: MBRT_OVERFLOW_STRIDE; these outputs need one sequence per item. Use "
        "MBRT_OVERFLOW_TRUNCATE or MBRT_OVERFLOW_ERROR.");
  }
  const TextModel& text = *model.text();
  const bool embeds = (settings.outputs & MBRT_EMBEDDING) != 0;
  return mbrt::limits_of(
      text, limits_of(settings),
      embeds ? Embedder::default_limits(text) : Limits{model.config().max_positions});
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

void Results::clear() { *this = {}; }

TaskOptions limits_of(const Settings& settings) {
  TaskOptions options;
  if (settings.max_tokens != 0) options.max_length = settings.max_tokens;
  if (settings.stride != 0) options.stride = settings.stride;
  options.on_overflow = kOverflows[settings.overflow];
  return options;
}

void Call::run() {
  results.clear();
  if (items.empty()) throw InputError("the call has no items. Add token ids or texts.");
  const RunOptions run{
      .threads = settings.threads,
      .control = {.cancelled = &cancelled, .deadline = deadline_in(settings.timeout)}};
  try {
    throw_if_stopped(run.control);
    const bool all_texts =
        std::all_of(items.begin(), items.end(), [](const Item& item) { return item.is_text; });
    if (settings.task.task != MBRT_TASK_NONE) {
      results.found = run_task(*model, settings.task, limits_of(settings), texts(), run);
    } else if (all_texts && settings.outputs == MBRT_EMBEDDING) {
      run_embedder(run);
    } else {
      run_outputs(run);
    }
  } catch (const CancelledError&) {
    cancelled = false;
    results.clear();
    throw;
  } catch (...) {
    results.clear();
    throw;
  }
}

// InputError when an item is token ids.
std::vector<Text> Call::texts() const {
  std::vector<Text> texts;
  texts.reserve(items.size());
  for (const Item& item : items) {
    if (!item.is_text) {
      throw InputError("item " + std::to_string(texts.size()) + ": token ids; a task needs texts.");
    }
    texts.push_back(item.text());
  }
  return texts;
}

// Only embeddings of only texts: the Embedder runs one batch at a time, which needs the memory of one
// batch's hidden states, and supports windows over long texts.
void Call::run_embedder(const RunOptions& run) {
  EmbedderOptions options = settings.embedding;
  static_cast<TaskOptions&>(options) = limits_of(settings);
  const Embedder embedder(model->text(), options);
  const std::vector<float> vectors = embedder.embed(texts(), run);

  const std::size_t number = output_number(MBRT_EMBEDDING);
  std::array<std::size_t, kOutputs> sizes{};
  sizes[number] = vectors.size();
  std::copy(vectors.begin(), vectors.end(), buffers.prepare(sizes)[number]);
  results.layout.offsets.assign(items.size() + 1, 0);
  results.layout.embedding_columns = embedder.dimension();
  results.outputs = MBRT_EMBEDDING;
}

// Tokenizes the texts and packs the sequences of all items. logit_tokens: those of logits per token, or
// null. unpooled: of each item, the tokens of a prompt that are not pooled.
PackedSequences Call::pack(const CallControl& control, std::vector<std::size_t>* logit_tokens,
                           std::vector<std::size_t>* unpooled) {
  PackedSequences packed;
  Layout& layout = results.layout;
  layout.logit_rows.assign(1, 0);
  results.tokens.resize(items.size());
  std::optional<Limits> limits;
  const std::string prompt = (settings.outputs & MBRT_EMBEDDING) == 0
                                 ? ""
                                 : prompt_of(model->sentence(), settings.embedding);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    const std::size_t first = packed.tokens();
    unpooled->push_back(0);
    if (item.is_text) {
      if (!limits) limits = sequence_limits(*model, settings);
      const text::Tokenizer& tokenizer = model->text()->tokenizer();
      const std::string prompted = prompt + item.first;
      const RunOptions run{.threads = 1, .control = control, .first_index = i};
      const std::vector<Window> windows =
          encode_windows(tokenizer, {{prompted, item.second}}, {0, 1}, *limits, run, true);
      const text::Encoding& encoding = windows[0].encoding;
      packed.add(encoding.ids, types_read(model->config(), encoding));
      results.tokens[i] = tokens_of(encoding);
      if (!prompt.empty() && !model->sentence().pooling.include_prompt) {
        unpooled->back() = prompt_tokens(tokenizer, prompt, limits->max_length);
      }
    } else {
      packed.add(item.ids, item.types, item.key_mask);
    }
    if (logit_tokens != nullptr) {
      add_logit_tokens(item, i, first, packed.tokens() - first, logit_tokens);
    }
    layout.logit_rows.push_back(logit_tokens == nullptr ? i + 1 : logit_tokens->size());
  }
  layout.offsets = packed.offsets();
  return packed;
}

void Call::run_outputs(const RunOptions& run) {
  const bool chooses_logits =
      (settings.outputs & MBRT_LOGITS) != 0 && model->encoder().shapes().logits.per_token;
  const EmbeddingHead head(model->encoder(), settings.embedding);
  std::vector<std::size_t> logit_tokens, unpooled;
  const PackedSequences packed =
      pack(run.control, chooses_logits ? &logit_tokens : nullptr, &unpooled);
  results.layout.embedding_columns = head.dimension();
  const Layout& layout = results.layout;
  const auto pointers =
      buffers.prepare(output_sizes(*model, settings.outputs, packed.tokens(), items.size(),
                                   layout.logit_rows.back(), layout.embedding_columns));
  Outputs outputs{.last_hidden_state = pointers[0],
                  .hidden_states = pointers[1],
                  .pooled = pointers[2],
                  .logits = pointers[3],
                  .next_sentence = pointers[4]};
  if (chooses_logits) {
    outputs.logit_tokens = logit_tokens.data();
    outputs.logit_token_count = logit_tokens.size();
  }
  model->encoder().run(packed.batch(), outputs, run.control, run.thread_count());

  for (std::size_t i = 0; pointers[5] != nullptr && i < items.size(); ++i) {
    const Matrix states = buffers.matrix(*model, layout, 0, 0, i);
    head.finish(head.pool({states.data, states.stride}, states.rows, unpooled[i]),
                pointers[5] + i * head.dimension());
  }
  results.outputs = settings.outputs;
}

}  // namespace mbrt::capi
