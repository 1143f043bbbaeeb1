#include "tasks/spans.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tasks/numeric.h"

namespace mbrt {
namespace {

constexpr std::uint32_t kNoAnswer = UINT32_MAX;

// Context tokens first .. first + more of a window; of the window kNoAnswer: no answer.
struct Span {
  double logit;
  std::uint32_t window;
  std::uint32_t first;
  std::uint32_t more;
};

// Of two equal logits the span that comes first in the text is better, and any span than none.
bool is_worse(const Span& a, const Span& b) {
  if (a.logit != b.logit) return a.logit < b.logit;
  if (a.window != b.window) return a.window > b.window;
  return a.first != b.first ? a.first > b.first : a.more > b.more;
}

std::vector<Span> all_spans(std::span<const ScoredWindow> windows, const AnswerOptions& wanted) {
  const std::vector<Range> owned = own_tokens({windows.front().window, windows.size()}, 1);
  std::vector<Span> spans;
  const auto add = [&](double logit, std::size_t window, std::size_t first, std::size_t more) {
    if (!std::isfinite(logit)) return;
    spans.push_back({logit, static_cast<std::uint32_t>(window), static_cast<std::uint32_t>(first),
                     static_cast<std::uint32_t>(more)});
  };
  for (std::size_t w = 0; w < windows.size(); ++w) {
    const ScoredWindow& part = windows[w];
    const std::size_t shift = part.window->first;
    for (std::size_t first = owned[w].begin - shift; first < owned[w].end - shift; ++first) {
      const std::size_t longest = std::min(wanted.max_answer_length, part.end.size() - first);
      for (std::size_t more = 0; more < longest; ++more) {
        add(part.start[first] + part.end[first + more], w, first, more);
      }
    }
  }
  if (wanted.allow_no_answer) {
    double null = HUGE_VAL;
    for (const ScoredWindow& part : windows) null = std::min(null, part.null);
    add(null - wanted.null_threshold, kNoAnswer, 0, 0);
  }
  return spans;
}

// Bytes of the context that the span covers.
Answer answer_of(const Window& window, std::size_t first, std::size_t last, bool whole_words) {
  const Range part = window.part(1);
  const std::vector<std::int32_t>& words = window.encoding.word;
  std::size_t begin = part.begin + first, end = part.begin + last;
  if (whole_words) {
    while (begin > part.begin && words[begin] >= 0 && words[begin - 1] == words[begin]) --begin;
    while (end + 1 < part.end && words[end] >= 0 && words[end + 1] == words[end]) ++end;
  }
  return {0, window.encoding.begin[begin], window.encoding.end[end]};
}

}  // namespace

std::vector<Answer> best_spans(std::span<const ScoredWindow> windows, const AnswerOptions& wanted,
                               bool whole_words) {
  std::vector<Span> spans = all_spans(windows, wanted);
  if (spans.empty()) return {};
  // Added in the order of the text: that of a heap is up to the standard library.
  const double largest = std::max_element(spans.begin(), spans.end(), is_worse)->logit;
  std::vector<double> powers;
  powers.reserve(spans.size());
  for (const Span& span : spans) powers.push_back(exp_negative(span.logit - largest));
  fold_sum(powers.data(), powers.size(), 1);

  std::make_heap(spans.begin(), spans.end(), is_worse);
  std::vector<Answer> answers;
  for (; !spans.empty() && answers.size() < wanted.n_best; spans.pop_back()) {
    std::pop_heap(spans.begin(), spans.end(), is_worse);
    const Span& span = spans.back();
    Answer found{0, 0, 0};
    if (span.window != kNoAnswer) {
      found =
          answer_of(*windows[span.window].window, span.first, span.first + span.more, whole_words);
    }
    const bool seen = std::any_of(answers.begin(), answers.end(), [&](const Answer& other) {
      return other.start == found.start && other.end == found.end;
    });
    if (seen) continue;
    found.score = static_cast<float>(exp_negative(span.logit - largest) / powers[0]);
    answers.push_back(found);
  }
  return answers;
}

}  // namespace mbrt
