#include "text/piece_table.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "model/message.h"

namespace mbrt::text {

PieceTable::PieceTable(PieceList pieces, Repeats repeats, std::string_view source)
    : text_(std::move(pieces.text)), entries_(std::move(pieces.entries)) {
  prepare(source);
  constexpr Hash kMaxSalts = 8;
  std::vector<std::size_t> repeated;  // numbers descending
  for (Hash i = 0; !fill(i * 0x85EBCA6BU, &repeated); ++i) {
    if (i < kMaxSalts) continue;
    throw ModelFormatError(std::string(source) +
                           ": the pieces were chosen to make their table slow." + kConvertAgain);
  }
  if (repeated.empty()) return;
  if (repeats == Repeats::kRefused) {
    throw ModelFormatError(std::string(source) + ": the piece " + quoted(piece_at(repeated[0])) +
                           " comes twice." + kConvertAgain);
  }
  std::vector<Entry> kept;
  for (std::size_t n = 0; n < entries_.size(); ++n) {
    if (repeated.empty() || repeated.back() != n) {
      kept.push_back(entries_[n]);
    } else {
      repeated.pop_back();
    }
  }
  entries_ = std::move(kept);
  fill(salt_, &repeated);
}

// Sorts and checks the entries, and makes slots enough for them.
void PieceTable::prepare(std::string_view source) {
  constexpr std::size_t kMaxPieces = std::size_t{1} << 24;
  if (entries_.size() > kMaxPieces) {
    throw ModelFormatError(std::string(source) + ": " + thousands(entries_.size()) +
                           " pieces, more than any vocabulary has." + kConvertAgain);
  }
  for (const Entry& entry : entries_) longest_ = std::max(longest_, entry.size);
  const auto by_id = [](const Entry& a, const Entry& b) { return a.id < b.id; };
  if (!std::is_sorted(entries_.begin(), entries_.end(), by_id)) {
    std::sort(entries_.begin(), entries_.end(), by_id);
  }
  for (std::size_t i = 1; i < entries_.size(); ++i) {
    if (entries_[i].id != entries_[i - 1].id) continue;
    throw ModelFormatError(std::string(source) + ": the pieces " + quoted(piece_at(i - 1)) +
                           " and " + quoted(piece_at(i)) + " have the same id " +
                           std::to_string(entries_[i].id) + "." + kConvertAgain);
  }
  std::size_t slots = 16;
  while (slots < 2 * entries_.size()) slots *= 2;
  slots_.resize(slots);
}

// False when a search would take too many steps with this salt. repeated: the entries whose piece a
// later one has too.
bool PieceTable::fill(Hash salt, std::vector<std::size_t>* repeated) {
  salt_ = salt;
  repeated->clear();
  std::fill(slots_.begin(), slots_.end(), Slot{0, 0});
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t n = entries_.size(); n-- > 0;) {
    const std::string_view piece = piece_at(n);
    const Hash h = hash(piece);
    const auto is_piece = [&](const Slot& s) {
      return s.hash == h && piece_at(s.number - 1) == piece;
    };
    std::size_t steps = 0;
    std::size_t i = h & mask;
    for (; slots_[i].number != 0 && !is_piece(slots_[i]); i = (i + 1) & mask) {
      if (++steps > kLongestSearch) return false;
    }
    if (slots_[i].number == 0) {
      slots_[i] = {h, static_cast<std::uint32_t>(n + 1)};
    } else {
      repeated->push_back(n);
    }
  }
  return true;
}

std::optional<std::int32_t> PieceTable::id(std::string_view piece) const {
  const std::size_t number = find(hash(piece), {}, piece);
  if (number == kNone) return std::nullopt;
  return entries_[number].id;
}

std::string_view PieceTable::piece_of(std::int32_t id) const {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), id,
                                      [](const Entry& e, std::int32_t i) { return e.id < i; });
  if (found == entries_.end() || found->id != id) return {};
  return piece_at(static_cast<std::size_t>(found - entries_.begin()));
}

}  // namespace mbrt::text
