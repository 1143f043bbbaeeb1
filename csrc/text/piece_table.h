// Pieces and their ids: a flat hash table over one block of text, made for the tokenizer's question,
// which prefixes of these bytes are pieces? The hash of each prefix is a step from that of the
// prefix before, and a table of 30,522 pieces takes 512 KiB, which a second-level cache holds.
//
// Vocabularies are untrusted: no set of pieces makes the table slow. Every piece is at most
// kLongestSearch slots from where its hash points, with another salt if need be, and no search goes
// further.
#ifndef MBRT_TEXT_PIECE_TABLE_H_
#define MBRT_TEXT_PIECE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mbrt::text {

// Pieces in the order of a file, in one block of text.
struct PieceList {
  struct Entry {
    std::size_t begin;
    std::size_t size;
    std::int32_t id;
  };

  // The piece is the text from `begin`, which the caller has appended.
  void add_end(std::size_t begin, std::int32_t id) {
    entries.push_back({begin, text.size() - begin, id});
  }
  void add(std::string_view piece, std::int32_t id) {
    text += piece;
    add_end(text.size() - piece.size(), id);
  }

  std::string text;
  std::vector<Entry> entries;
};

class PieceTable {
 public:
  using Hash = std::uint32_t;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  PieceTable() = default;
  enum class Repeats { kRefused, kLastCounts };
  // No id may come twice; a piece that does is refused, or has the largest of its ids and is
  // counted once. ModelFormatError, naming `source`.
  PieceTable(PieceList pieces, Repeats repeats, std::string_view source);

  // The hash of no bytes at all; of one byte more.
  Hash begin() const { return salt_; }
  static Hash step(Hash hash, char byte) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x9E3779B1U;
    return hash ^ hash >> 15;
  }
  Hash hash(std::string_view text) const {
    Hash hash = begin();
    for (const char c : text) hash = step(hash, c);
    return hash;
  }

  // The number (not the id) of the piece that is `head` and `tail` together, whose hash is given;
  // kNone when there is none.
  std::size_t find(Hash hash, std::string_view head, std::string_view tail) const;

  std::optional<std::int32_t> id(std::string_view piece) const;
  // The piece with that id; empty when there is none.
  std::string_view piece_of(std::int32_t id) const;

  std::int32_t id_at(std::size_t number) const { return entries_[number].id; }
  std::string_view piece_at(std::size_t number) const {
    return std::string_view(text_).substr(entries_[number].begin, entries_[number].size);
  }
  std::size_t size() const { return entries_.size(); }
  std::size_t longest() const { return longest_; }  // bytes
  std::int32_t largest_id() const { return entries_.empty() ? -1 : entries_.back().id; }

 private:
  static constexpr std::size_t kLongestSearch = 64;

  using Entry = PieceList::Entry;
  struct Slot {
    Hash hash;
    std::uint32_t number;  // of the entry, from 1; 0: free
  };

  void prepare(std::string_view source);
  bool fill(Hash salt, std::vector<std::size_t>* repeated);

  std::string text_;
  std::vector<Entry> entries_;  // ids ascending
  std::vector<Slot> slots_{1};  // a power of two, at most half of them taken
  Hash salt_ = 0;
  std::size_t longest_ = 0;
};

inline std::size_t PieceTable::find(Hash hash, std::string_view head, std::string_view tail) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  for (std::size_t steps = 0; steps <= kLongestSearch && slots_[i].number != 0; ++steps) {
    const Slot slot = slots_[i];
    i = (i + 1) & mask;
    if (slot.hash != hash) continue;
    const std::size_t number = slot.number - 1;
    const Entry& entry = entries_[number];
    if (entry.size != head.size() + tail.size()) continue;
    const std::string_view piece = piece_at(number);
    if (piece.substr(0, head.size()) == head && piece.substr(head.size()) == tail) return number;
  }
  return kNone;
}

}  // namespace mbrt::text

#endif  // MBRT_TEXT_PIECE_TABLE_H_
