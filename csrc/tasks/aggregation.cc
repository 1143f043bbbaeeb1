#include "tasks/aggregation.h"

#include <algorithm>

#include "tasks/numeric.h"

namespace mbrt {
namespace {

// A token or a word with its one label.
struct Unit {
  std::size_t label;
  float score;
  std::size_t start;
  std::size_t end;
};

std::vector<Unit> token_units(const Tokens& tokens) {
  std::vector<Unit> units;
  for (std::size_t i = 0; i < tokens.offsets.size(); ++i) {
    const float* const row = tokens.scores.data() + i * tokens.labels;
    const float* const best = std::max_element(row, row + tokens.labels);
    units.push_back({static_cast<std::size_t>(best - row), *best, tokens.offsets[i].first,
                     tokens.offsets[i].second});
  }
  return units;
}

// The label and score of a word of tokens [begin, end), by the mean of each label's scores.
Unit average(const Tokens& tokens, std::size_t begin, std::size_t end) {
  const float* const first = tokens.scores.data() + begin * tokens.labels;
  std::vector<double> rows(first, first + (end - begin) * tokens.labels);
  fold_sum(rows.data(), end - begin, tokens.labels);
  const auto best =
      std::max_element(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(tokens.labels));
  return {static_cast<std::size_t>(best - rows.begin()),
          static_cast<float>(*best / static_cast<double>(end - begin)), 0, 0};
}

std::vector<Unit> word_units(const Tokens& tokens, Aggregation how) {
  const std::vector<Unit> pieces = token_units(tokens);
  std::vector<Unit> units;
  for (std::size_t begin = 0, end; begin < pieces.size(); begin = end) {
    end = begin + 1;
    while (end < pieces.size() && tokens.words[end] >= 0 &&
           tokens.words[end] == tokens.words[end - 1]) {
      ++end;
    }
    Unit chosen = how == Aggregation::kAverage ? average(tokens, begin, end) : pieces[begin];
    for (std::size_t i = begin + 1; how == Aggregation::kMax && i < end; ++i) {
      if (pieces[i].score > chosen.score) chosen = pieces[i];
    }
    units.push_back({chosen.label, chosen.score, pieces[begin].start, pieces[end - 1].end});
  }
  return units;
}

// ('B' or 'I', type): B-PER -> B, PER; any other name counts as I: PER -> I, PER; E-PER -> I, E-PER.
std::pair<char, std::string_view> split_label(std::string_view name) {
  const bool prefixed = name.starts_with("B-") || name.starts_with("I-");
  return prefixed ? std::pair(name[0], name.substr(2)) : std::pair('I', name);
}

// What an entity of several tokens is called: the name without what is before its first dash.
std::string_view group_name(std::string_view name) {
  const std::size_t dash = name.find('-');
  return dash == std::string_view::npos ? name : name.substr(dash + 1);
}

// The sizes of the groups of units that are one entity, in order.
std::vector<std::size_t> joined(const std::vector<Unit>& units,
                                const std::vector<std::string>& labels) {
  std::vector<std::size_t> sizes;
  std::string_view previous;
  for (const Unit& unit : units) {
    const auto [prefix, kind] = split_label(labels[unit.label]);
    if (!sizes.empty() && kind == previous && prefix == 'I') {
      ++sizes.back();
    } else {
      sizes.push_back(1);
    }
    previous = kind;
  }
  return sizes;
}

}  // namespace

std::vector<Entity> entities_of(const Tokens& tokens, const std::vector<std::string>& labels,
                                const std::vector<std::string>& ignored, Aggregation how) {
  const bool per_token = how == Aggregation::kNone;
  const std::vector<Unit> units =
      per_token || how == Aggregation::kSimple ? token_units(tokens) : word_units(tokens, how);
  const std::vector<std::size_t> sizes =
      per_token ? std::vector<std::size_t>(units.size(), 1) : joined(units, labels);
  const auto is_ignored = [&](std::string_view name) {
    return std::find(ignored.begin(), ignored.end(), name) != ignored.end();
  };
  std::vector<Entity> found;
  std::size_t begin = 0;
  for (const std::size_t size : sizes) {
    const std::string& name = labels[units[begin].label];
    const std::string_view kind = per_token ? name : group_name(name);
    const std::size_t end = begin + size;
    if (!is_ignored(kind)) {
      std::vector<double> scores;
      for (std::size_t i = begin; i < end; ++i) scores.push_back(units[i].score);
      fold_sum(scores.data(), size, 1);
      found.push_back({std::string(kind), static_cast<float>(scores[0] / static_cast<double>(size)),
                       units[begin].start, units[end - 1].end});
    }
    begin = end;
  }
  return found;
}

}  // namespace mbrt
