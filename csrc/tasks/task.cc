#include "tasks/task.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "base/error.h"
#include "model/message.h"

namespace mbrt {
namespace {

void check_head(const TextModel& model, std::string_view task, std::initializer_list<Head> heads) {
  const Head head = model.config().head;
  if (heads.size() == 0 || std::find(heads.begin(), heads.end(), head) != heads.end()) return;
  std::string known;
  for (const Head suitable : heads) {
    known += (known.empty() ? "" : " or ") + std::string(head_traits(suitable).name);
  }
  const std::string has =
      head == Head::kNone ? "has no head" : std::string("is one for ") + head_traits(head).name;
  throw UnsupportedModelError(std::string(task) + " needs a model for " + known + "; " +
                              model.name() + " " + has + ".");
}

}  // namespace

Limits limits_of(const TextModel& model, const TaskOptions& options, const Limits& defaults) {
  const Limits limits{.max_length = options.max_length.value_or(defaults.max_length),
                      .on_overflow = options.on_overflow.value_or(defaults.on_overflow),
                      .stride = options.stride.value_or(defaults.stride),
                      .min_new = defaults.min_new,
                      .keeps_second = defaults.keeps_second};
  const std::size_t longest = model.config().max_positions;
  if (limits.max_length > longest) {
    throw InputError("max_length: found " + thousands(limits.max_length) + "; expected at most " +
                     thousands(longest) + ", the limit of " + model.name() + ".");
  }
  if (limits.max_length < 1) throw InputError("max_length: found 0; expected at least 1.");
  if (limits.on_overflow == OnOverflow::kStride &&
      options.stride.value_or(0) >= limits.max_length) {
    throw InputError("stride: found " + thousands(limits.stride) +
                     "; expected less than max_length, " + thousands(limits.max_length) + ".");
  }
  return limits;
}

Task::Task(std::shared_ptr<const TextModel> model, std::string_view task,
           std::initializer_list<Head> heads, const TaskOptions& options, const Limits& defaults,
           std::string prompt)
    : model_(std::move(model)),
      max_batch_tokens_(options.max_batch_tokens),
      prompt_(std::move(prompt)) {
  check_head(*model_, task, heads);
  limits_ = limits_of(*model_, options, defaults);
  if (options.batch_size) {
    const std::size_t largest = SIZE_MAX / limits_.max_length;
    max_batch_tokens_ = std::min(*options.batch_size, largest) * limits_.max_length;
  }
  if (max_batch_tokens_ < 1) throw InputError("max_batch_tokens: found 0; expected at least 1.");
}

std::size_t Task::count_tokens(const Text& text) const {
  const std::string first = prompt_ + std::string(text.first);
  return model_->tokenizer().encode({first, text.second}, false).size();
}

std::vector<Window> Task::encode(const std::vector<Text>& texts, Range group,
                                 const RunOptions& run) const {
  const text::Tokenizer& tokenizer = model_->tokenizer();
  if (prompt_.empty()) return encode_windows(tokenizer, texts, group, limits_, run, false);
  std::vector<std::string> firsts;
  std::vector<Text> prompted;
  firsts.reserve(group.size());
  for (std::size_t i = group.begin; i < group.end; ++i) {
    firsts.push_back(prompt_ + std::string(texts[i].first));
    prompted.push_back({firsts.back(), texts[i].second});
  }
  RunOptions of_group = run;
  of_group.first_index += group.begin;
  std::vector<Window> windows =
      encode_windows(tokenizer, prompted, {0, group.size()}, limits_, of_group, false);
  for (Window& window : windows) window.index += group.begin;
  return windows;
}

void Task::check_single(const std::vector<Text>& texts, std::size_t first_index) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].second) continue;
    throw InputError("input " + std::to_string(first_index + i) +
                     " is a pair of texts; this task reads single texts.");
  }
}

void Task::check_pairs(const std::vector<Text>& texts, std::size_t first_index,
                       std::string_view parts) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].second) continue;
    throw InputError("input " + std::to_string(first_index + i) +
                     " should be a pair: " + std::string(parts) + ".");
  }
}

}  // namespace mbrt
