#include "text/normalizer.h"

#include <algorithm>

namespace mbrt::text {
namespace {

bool has(const Properties& p, std::uint8_t flag) { return (p.flags & flag) != 0; }

Place place(std::size_t begin, std::size_t size) {
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(begin + size)};
}

}  // namespace

NormalRules::NormalRules(bool clean_text, bool handle_chinese_chars, bool lowercase,
                         bool strip_accents)
    : clean(clean_text), chinese(handle_chinese_chars), lower(lowercase), strip(strip_accents) {
  kinds.fill(kWide);
  lettering.fill(0);
  for (std::size_t i = 0; i < 128; ++i) {
    const Properties& p = properties(static_cast<char32_t>(i));
    const bool dropped = clean && has(p, kRemoved);
    kinds[i] = dropped                ? kDropped
               : has(p, kSpace)       ? kBreak
               : has(p, kPunctuation) ? kAlone
                                      : kLetter;
    const auto letter = static_cast<std::int32_t>(i) + (lower ? p.lower : 0);
    lettering[i] = static_cast<char>(letter);
  }
}

void Normalizer::check(std::size_t at) {
  constexpr std::size_t kBytesBetween = 65536;
  if (at < next_check_) return;
  throw_if_stopped(control_);
  next_check_ = at + kBytesBetween;
}

NormalText normal_text(const NormalRules& rules, const CallControl& control, std::string_view text,
                       std::size_t base) {
  NormalText out;
  Normalizer(rules, control, out).run(text, base);
  return out;
}

void Normalizer::run(std::string_view text, std::size_t base) {
  if (words_ != nullptr) return run_words(text, base);
  for (std::size_t i = 0; i < text.size();) {
    check(base + i);
    const Decoded d = decode_utf8(text.substr(i));
    character(d.code, place(base + i, d.length));
    i += d.length;
  }
  settle();
}

void Normalizer::run(const NormalText& text, std::size_t begin, std::size_t end) {
  while (begin < end) {
    check(text.places[begin].begin);
    const Decoded d = decode_utf8(std::string_view(text.text).substr(begin));
    split(d.code, text.places[begin]);
    begin += d.length;
  }
  words_->finish();
}

void Normalizer::run_words(std::string_view text, std::size_t base) {
  for (std::size_t i = 0; i < text.size();) {
    check(base + i);
    switch (rules_.kinds[static_cast<unsigned char>(text[i])]) {
      case NormalRules::kLetter:
        i = letters(text, i, base);
        break;
      case NormalRules::kBreak:
        words_->finish();
        ++i;
        break;
      case NormalRules::kAlone:
        words_->finish();
        words_->single(text[i], static_cast<std::uint32_t>(base + i));
        ++i;
        break;
      case NormalRules::kDropped:
        ++i;
        break;
      case NormalRules::kWide:
        i = wide(text, i, base);
        break;
    }
  }
  words_->finish();
}

std::size_t Normalizer::letters(std::string_view text, std::size_t i, std::size_t base) {
  char* const out = words_->ascii_buffer();
  const std::size_t max_size = std::min(text.size() - i, WordPieces::kRun);
  std::size_t n = 0;
  for (; n < max_size; ++n) {
    const auto byte = static_cast<unsigned char>(text[i + n]);
    if (rules_.kinds[byte] != NormalRules::kLetter) break;
    out[n] = rules_.lettering[byte];
  }
  words_->add_ascii(n, static_cast<std::uint32_t>(base + i));
  return i + n;
}

// Up to the next ASCII character that stays; those are all starters, so that nothing is pending
// behind.
std::size_t Normalizer::wide(std::string_view text, std::size_t i, std::size_t base) {
  while (i < text.size()) {
    check(base + i);
    const NormalRules::Kind kind = rules_.kinds[static_cast<unsigned char>(text[i])];
    if (kind == NormalRules::kDropped) {
      ++i;
      continue;
    }
    if (kind != NormalRules::kWide) break;
    const Decoded d = decode_utf8(text.substr(i));
    character(d.code, place(base + i, d.length));
    i += d.length;
  }
  settle();
  return i;
}

void Normalizer::character(char32_t c, Place from) {
  const Properties& p = properties(c);
  if (rules_.clean && has(p, kRemoved)) return;
  if (rules_.clean && has(p, kSpace)) {
    settle();
    end_word(from);
    return;
  }
  if (rules_.chinese && has(p, kChinese)) {
    settle();
    end_word(from);
    stripped(c, p, from);
    settle();
    end_word(from);
    return;
  }
  stripped(c, p, from);
}

void Normalizer::stripped(char32_t c, const Properties& p, Place from) {
  if (!rules_.strip) {
    lowered(c, p, from);
  } else if (!has(p, kDecomposes)) {
    part(c, p, false, from);
  } else {
    const Decomposition d = decompose(c);
    for (std::size_t i = 0; i < d.size; ++i) part(d.parts[i], properties(d.parts[i]), i > 0, from);
  }
}

void Normalizer::part(char32_t c, const Properties& p, bool inserted, Place from) {
  if (p.combining == 0) {
    settle();
    last_ = from;
    if (!has(p, kMark)) lowered(c, p, from);
    return;
  }
  pending_.push_back({c, static_cast<std::uint32_t>(pending_.size()), p.combining, inserted});
  if (!inserted) places_.push_back(from);
  keeps_any_ = keeps_any_ || !has(p, kMark);
}

// Canonical order. The library hands out places in the order that results, not with the characters:
// the first gets the place of the first, and what a decomposition inserted the place before it.
void Normalizer::settle() {
  if (pending_.empty()) return;
  if (keeps_any_) {
    std::sort(pending_.begin(), pending_.end(), [](const Pending& a, const Pending& b) {
      return a.combining != b.combining ? a.combining < b.combining : a.number < b.number;
    });
    std::size_t next = 0;
    for (const Pending& one : pending_) {
      if (!one.inserted) last_ = places_[next++];
      const Properties& p = properties(one.c);
      if (!has(p, kMark)) lowered(one.c, p, last_);
    }
  }
  pending_.clear();
  places_.clear();
  keeps_any_ = false;
}

void Normalizer::lowered(char32_t c, const Properties& p, Place from) {
  if (!rules_.lower) {
    put(c, from);
  } else if (c == kDottedI) {
    put(U'i', from);
    put(kDotAbove, from);
  } else {
    put(static_cast<char32_t>(static_cast<std::int32_t>(c) + p.lower), from);
  }
}

// White space, or a place beside an ideograph, which is a space in the normalised text.
void Normalizer::end_word(Place from) {
  if (out_ != nullptr) {
    put(U' ', from);
  } else {
    words_->finish();
  }
}

void Normalizer::put(char32_t c, Place from) {
  if (out_ == nullptr) return split(c, from);
  char utf8[4];
  const std::size_t size = encode_utf8(c, utf8);
  out_->text.append(utf8, size);
  out_->places.insert(out_->places.end(), size, from);
}

void Normalizer::split(char32_t c, Place from) {
  const Properties& p = properties(c);
  const bool alone = has(p, kPunctuation);
  if (alone || has(p, kSpace)) words_->finish();
  if (has(p, kSpace)) return;
  char utf8[4];
  words_->add(utf8, encode_utf8(c, utf8), from);
  if (alone) words_->finish();
}

}  // namespace mbrt::text
