#include "tasks/spans.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <unordered_map>

#include "tasks/numeric.h"
#include "text/normalizer.h"

namespace mbrt {
namespace {

// number: of equal scores the lowest is better.
struct Scored {
  double score;
  std::size_t number;
};

// The `count` best, best first.
void keep_best(std::vector<Scored>* all, std::size_t count) {
  count = std::min(count, all->size());
  std::partial_sort(all->begin(), all->begin() + static_cast<std::ptrdiff_t>(count), all->end(),
                    [](const Scored& a, const Scored& b) {
                      return a.score > b.score || (a.score == b.score && a.number < b.number);
                    });
  all->resize(count);
}

struct Probabilities {
  explicit Probabilities(const ScoredWindow& part) : start(part.start), end(part.end) {
    softmax(start.data(), start.size(), start.data());
    softmax(end.data(), end.size(), end.data());
  }
  std::vector<double> start, end;  // [CLS], then the context
};

// All spans of context tokens first .. last; their number is first * tokens + last.
std::vector<Scored> all_spans(const Probabilities& probabilities, std::size_t longest) {
  const std::size_t tokens = probabilities.start.size() - 1;
  std::vector<Scored> spans;
  for (std::size_t first = 0; first < tokens; ++first) {
    const std::size_t end = first + std::min(longest, tokens - first);
    for (std::size_t last = first; last < end; ++last) {
      const double score = probabilities.start[first + 1] * probabilities.end[last + 1];
      if (score >= 0) spans.push_back({score, first * tokens + last});
    }
  }
  return spans;
}

// Bytes of the context that the span covers.
Range bytes_of(const Window& window, std::size_t number, bool whole_words) {
  const Range part = window.part(1);
  const std::vector<std::int32_t>& words = window.encoding.word;
  std::size_t begin = part.begin + number / part.size(), end = part.begin + number % part.size();
  if (whole_words && words[begin] >= 0 && words[end] >= 0) {
    while (begin > part.begin && words[begin - 1] == words[begin]) --begin;
    while (end + 1 < part.end && words[end + 1] == words[end]) ++end;
  }
  return {window.encoding.begin[begin], window.encoding.end[end]};
}

// Equal for texts that differ only in case. Python's lower case of a capital sigma depends on its place
// in the word; both small ones are the same here.
std::string without_case(std::string_view text) {
  static const text::NormalRules kLower(false, false, true, false);
  std::string lower = text::normal_text(kLower, {}, text, 0).text;
  constexpr std::string_view kFinalSigma = "\u03C2", kSigma = "\u03C3";  // of two bytes
  for (std::size_t at = 0; (at = lower.find(kFinalSigma, at)) != std::string::npos;) {
    lower[at + 1] = kSigma[1];
  }
  return lower;
}

// Answers of spans, those of one text added up; numbered in the order in which they are found.
struct Answers {
  void add(std::string_view context, Range bytes, double score) {
    const std::string_view text = context.substr(bytes.begin, bytes.size());
    const auto [place, is_new] = numbers.try_emplace(without_case(text), places.size());
    if (is_new) {
      places.push_back(bytes);
      scores.push_back({score, place->second});
    } else {
      scores[place->second].score += score;
    }
  }

  std::vector<Range> places;
  std::vector<Scored> scores;
  std::unordered_map<std::string, std::size_t> numbers;
};

// Whether "no answer" comes before an answer: null / answer > e^threshold.
bool is_null_better(double null, double answer, double threshold) {
  return null * exp_negative(-std::max(threshold, 0.0)) >
         answer * exp_negative(std::min(threshold, 0.0));
}

}  // namespace

std::vector<Answer> best_answers(std::span<const ScoredWindow> windows, std::string_view context,
                                 const AnswerOptions& wanted, bool whole_words) {
  const std::size_t n_best = std::min(wanted.n_best, std::numeric_limits<std::size_t>::max() / 4);
  Answers answers;
  double null = HUGE_VAL;
  for (const ScoredWindow& part : windows) {
    const Probabilities probabilities(part);
    null = std::min(null, probabilities.start[0] * probabilities.end[0]);
    std::vector<Scored> spans = all_spans(probabilities, wanted.max_answer_length);
    keep_best(&spans, whole_words ? 2 * n_best + 10 : n_best);
    for (const Scored& span : spans) {
      answers.add(context, bytes_of(*part.window, span.number, whole_words), span.score);
    }
  }
  keep_best(&answers.scores, n_best);
  bool adds_null = wanted.allow_no_answer && std::isfinite(null);
  std::vector<Answer> best;
  const auto add = [&](double score, Range bytes) {
    best.push_back({static_cast<float>(score), bytes.begin, bytes.end});
  };
  for (const Scored& one : answers.scores) {
    if (adds_null && is_null_better(null, one.score, wanted.null_threshold)) {
      add(null, {});
      adds_null = false;
    }
    add(one.score, answers.places[one.number]);
  }
  if (adds_null) add(null, {});
  best.resize(std::min(best.size(), n_best));
  return best;
}

}  // namespace mbrt
