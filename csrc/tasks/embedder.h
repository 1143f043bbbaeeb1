// Texts to vectors, as sentence-transformers computes them.
#ifndef MBRT_TASKS_EMBEDDER_H_
#define MBRT_TASKS_EMBEDDER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tasks/embedding_head.h"
#include "tasks/task.h"

namespace mbrt {

// What is not given is as the model file says. The default of max_length is the file's max_tokens,
// that of on_overflow kTruncate.
struct EmbedderOptions : TaskOptions, EmbeddingOptions {
  std::optional<std::string> prompt;       // put before each text (of a pair, the first)
  std::optional<std::string> prompt_name;  // one of the file's prompts; unless there is a prompt
};

// The prompt of these options. InputError for a name that the file does not have.
std::string prompt_of(const SentenceConfig& sentence, const EmbedderOptions& options);

class Embedder : public Task {
 public:
  explicit Embedder(const std::shared_ptr<const TextModel>& model,
                    const EmbedderOptions& options = {});

  // Of the options of a sequence.
  static Limits default_limits(const TextModel& model);

  std::size_t dimension() const { return head_.dimension(); }
  const std::vector<PoolingMode>& pooling() const { return head_.pooling(); }
  bool normalize() const { return head_.normalize(); }

  // [texts][dimension]. With OnOverflow::kStride a long text's vector is the mean of its windows'
  // pooled vectors weighted by their tokens, before the modules and the normalisation.
  std::vector<float> embed(const std::vector<Text>& texts, const RunOptions& run = {}) const;

 private:
  std::size_t unpooled_in(const Window& window, const std::vector<Text>& texts) const;

  EmbeddingHead head_;
  std::size_t unpooled_ = 0;  // tokens at the start that belong to the prompt and are not pooled
};

// How many tokens of a prompt, with the special ones before it, are at the start of a sequence of at
// most max_length tokens.
std::size_t prompt_tokens(const text::Tokenizer& tokenizer, const std::string& prompt,
                          std::size_t max_length);

}  // namespace mbrt

#endif  // MBRT_TASKS_EMBEDDER_H_
