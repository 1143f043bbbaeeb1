// From a label for each token to entities: the BIO scheme, and which label a word of several tokens
// has. As in the token classification pipeline of transformers.
#ifndef MBRT_TASKS_AGGREGATION_H_
#define MBRT_TASKS_AGGREGATION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mbrt {

enum class Aggregation {
  kNone,     // each token alone, its label as the model names it (B-PER)
  kSimple,   // neighbouring tokens of the same type form one entity, named without its prefix (PER)
  kFirst,    // as kSimple, but a whole word has the label of its first token
  kAverage,  // as kFirst, by the mean of its tokens' scores
  kMax,      // as kFirst, by its token of the highest score
};

// A labelled span of a text: bytes [start, end) of its UTF-8. score: mean over its tokens or
// words.
struct Entity {
  std::string label;
  float score;
  std::size_t start;
  std::size_t end;
};

// The tokens of one text.
struct Tokens {
  std::size_t labels = 0;
  std::vector<float> scores;                                 // [tokens][labels], probabilities
  std::vector<std::pair<std::size_t, std::size_t>> offsets;  // bytes [start, end) of each
  std::vector<std::int32_t> words;                           // the number of each token's word
};

// The entities of a text in order, without those whose label, as the entity has it, is among the ignored.
std::vector<Entity> entities_of(const Tokens& tokens, const std::vector<std::string>& labels,
                                const std::vector<std::string>& ignored, Aggregation how);

}  // namespace mbrt

#endif  // MBRT_TASKS_AGGREGATION_H_
