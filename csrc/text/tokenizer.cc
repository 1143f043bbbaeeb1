#include "text/tokenizer.h"

namespace mbrt::text {
namespace {

template <typename T>
void append_range(std::vector<T>* to, const std::vector<T>& from, std::size_t first,
                  std::size_t last) {
  if (from.empty()) return;  // no offsets were requested
  const auto begin = from.begin();
  to->insert(to->end(), begin + static_cast<std::ptrdiff_t>(first),
             begin + static_cast<std::ptrdiff_t>(last));
}

}  // namespace

void Encoding::append(const Encoding& from, std::size_t first, std::size_t last) {
  append_range(&ids, from.ids, first, last);
  append_range(&types, from.types, first, last);
  append_range(&begin, from.begin, first, last);
  append_range(&end, from.end, first, last);
  append_range(&part, from.part, first, last);
  append_range(&word, from.word, first, last);
}

Encoding Tokenizer::encode(const Text& text, bool offsets) const {
  Encoding out;
  encode_batch(&text, 1, {.offsets = offsets}, &out);
  return out;
}

}  // namespace mbrt::text
