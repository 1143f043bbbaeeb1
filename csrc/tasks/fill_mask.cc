#include "tasks/fill_mask.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "tasks/batching.h"
#include "tasks/numeric.h"
#include "text/characters.h"

namespace mbrt {
namespace {

using Positions = std::vector<std::size_t>;

// For each window of one text, the positions of the masks whose results it provides.
void find_masks(const std::vector<Window>& windows, Range group, std::int32_t mask,
                std::vector<Positions>* found) {
  const std::vector<Range> owned = own_tokens({&windows[group.begin], group.size()}, 0);
  for (std::size_t i = group.begin; i < group.end; ++i) {
    const Range own = owned[i - group.begin];
    const std::size_t start = windows[i].part(0).begin;
    for (std::size_t token = own.begin; token < own.end; ++token) {
      const std::size_t place = start + token - windows[i].first;
      if (windows[i].encoding.ids[place] == mask) (*found)[i].push_back(place);
    }
  }
}

// The text with the mask at bytes [begin, end) replaced; a ##piece joins the word before it.
std::string filled(std::string_view text, std::size_t begin, std::size_t end,
                   std::string_view token) {
  std::string_view before = text.substr(0, begin);
  if (token.size() > 2 && token.substr(0, 2) == "##") {
    before = text::without_space_at_end(before);
    token.remove_prefix(2);
  }
  std::string sequence(before);
  sequence += token;
  sequence += text.substr(end);
  return sequence;
}

// The ids of the largest scores, best first; targets: of these only, if given.
std::vector<std::size_t> best_ids(const std::vector<float>& scores, std::size_t top_k,
                                  const std::vector<std::int32_t>* targets) {
  if (targets == nullptr) return best_indices(scores.data(), scores.size(), top_k);
  std::vector<float> own;
  for (const std::int32_t id : *targets) own.push_back(scores[static_cast<std::size_t>(id)]);
  std::vector<std::size_t> best = best_indices(own.data(), own.size(), top_k);
  for (std::size_t& i : best) i = static_cast<std::size_t>((*targets)[i]);
  return best;
}

// The proposals for the masks of one window.
std::vector<std::vector<Fill>> proposals(const TextModel& model, std::string_view text,
                                         const Window& window, const Positions& places,
                                         const OutputRows& rows, std::size_t top_k,
                                         const std::vector<std::int32_t>* targets) {
  std::vector<std::vector<Fill>> found;
  std::vector<float> scores(model.config().vocab_size);
  for (std::size_t i = 0; i < places.size(); ++i) {
    softmax(rows.row(i), scores.size(), scores.data());
    const std::size_t begin = window.encoding.begin[places[i]];
    const std::size_t end = window.encoding.end[places[i]];
    std::vector<Fill>& best = found.emplace_back();
    for (const std::size_t id : best_ids(scores, top_k, targets)) {
      std::string token = model.tokenizer().piece(static_cast<std::int32_t>(id));
      std::string sequence = filled(text, begin, end, token);
      best.push_back({.token = std::move(token),
                      .token_id = static_cast<std::int32_t>(id),
                      .score = scores[id],
                      .sequence = std::move(sequence)});
    }
  }
  return found;
}

}  // namespace

FillMask::FillMask(const std::shared_ptr<const TextModel>& model, const TaskOptions& options)
    : Task(model, "Filling masks", {Head::kMaskedLm, Head::kPretraining}, options,
           {model->config().max_positions}) {
  if (model->mask_id()) return;
  throw ModelFormatError(model->name() +
                         ": its tokenizer has no mask token ([MASK]), so nothing can be filled.");
}

std::vector<std::int32_t> FillMask::target_ids(const std::vector<std::string>& words) const {
  if (words.empty()) throw InputError("targets: found none; expected at least one word.");
  std::vector<std::int32_t> ids;
  for (const std::string& word : words) {
    const std::optional<std::int32_t> id = model().tokenizer().id(word);
    if (!id || *id < 0 || static_cast<std::size_t>(*id) >= model().config().vocab_size) {
      throw InputError(
          "targets: found \"" + word +
          "\", which is not one token of the model's vocabulary; expected words that are, "
          "spelled as in the vocabulary (in lower case, for most models).");
    }
    ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::vector<std::vector<std::vector<Fill>>> FillMask::fill(
    const std::vector<Text>& texts, std::size_t top_k, const RunOptions& run,
    const std::optional<std::vector<std::int32_t>>& targets) const {
  if (top_k < 1) throw InputError("top_k: found 0; expected at least 1.");
  check_single(texts, run.first_index);
  // NOLINTBEGIN(bugprone-unchecked-optional-access): the constructor refuses a model without them
  const std::int32_t mask_id = *model().mask_id();
  const std::string& mask_token = *model().mask_token();
  // NOLINTEND(bugprone-unchecked-optional-access)
  std::vector<std::vector<std::vector<Fill>>> fills(texts.size());
  for (const Range& group : text_groups(texts, max_batch_tokens())) {
    const std::vector<Window> windows =
        encode_windows(model().tokenizer(), texts, group, limits(), run, true);
    std::vector<Positions> places(windows.size());
    for (const Range& own : groups_of(windows)) {
      find_masks(windows, own, mask_id, &places);
      const auto has_some = [](const Positions& p) { return !p.empty(); };
      if (std::any_of(&places[own.begin], places.data() + own.end, has_some)) continue;
      throw InputError("input " + std::to_string(run.first_index + windows[own.begin].index) +
                       " has no " + mask_token + " that could be filled.");
    }
    std::vector<std::vector<std::vector<Fill>>> parts(windows.size());
    run_windows(
        *this, windows, Wanted::kChosenLogits, run,
        [&](std::size_t i, const OutputRows& rows) {
          parts[i] = proposals(model(), texts[windows[i].index].first, windows[i], places[i], rows,
                               top_k, targets ? &*targets : nullptr);
        },
        &places);
    for (std::size_t i = 0; i < windows.size(); ++i) {
      std::vector<std::vector<Fill>>& masks = fills[windows[i].index];
      std::move(parts[i].begin(), parts[i].end(), std::back_inserter(masks));
    }
  }
  return fills;
}

}  // namespace mbrt
