// vocab.txt: one piece a line, its number from 0 the id. Only the line feed ends a line, since
// vocabularies hold pieces such as U+2028. White space at its end is no part of a piece; transformers 4
// keeps it, 5 drops it, so it is refused but for a carriage return and a line of nothing else.
#include <cstdint>
#include <limits>
#include <string>

#include "base/error.h"
#include "model/message.h"
#include "text/core.h"
#include "text/unicode.h"

namespace mbrt::text {
namespace {

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = static_cast<unsigned char>(text[0]) < 0x80 ? 1 : utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::size_t end_without_space(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Decoded d = decode_utf8(text.substr(i));
    i += d.length;
    if ((properties(d.code).flags & kSpace) == 0) end = i;
  }
  return end;
}

}  // namespace

Description read_vocabulary(std::string_view text, const Settings& settings,
                            std::string_view source) {
  constexpr std::size_t kMax = std::numeric_limits<std::int32_t>::max();
  Description d;
  d.settings = settings;
  d.repeats = PieceTable::Repeats::kLastCounts;
  for (bool more = true; more && d.pieces.entries.size() < kMax;) {
    const std::size_t feed = text.find('\n');
    std::string_view line = text.substr(0, feed);
    more = feed != std::string_view::npos && feed + 1 < text.size();
    if (more) text.remove_prefix(feed + 1);
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const std::size_t end = is_utf8(line) ? end_without_space(line) : line.size() + 1;
    if (end != line.size() && end > 0) {
      throw ModelFormatError(std::string(source) + ": line " +
                             thousands(d.pieces.entries.size() + 1) + ", " + quoted(line) +
                             (end > line.size() ? ", is not UTF-8." : ", ends with white space.") +
                             kConvertAgain);
    }
    d.pieces.add(line.substr(0, end), static_cast<std::int32_t>(d.pieces.entries.size()));
  }
  return d;
}

}  // namespace mbrt::text
