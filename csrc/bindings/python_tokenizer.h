// Tokenizers that are Python objects, behind the interface of csrc/text, and where a tokenizer that
// Python gives is found.
#ifndef MBRT_BINDINGS_PYTHON_TOKENIZER_H_
#define MBRT_BINDINGS_PYTHON_TOKENIZER_H_

#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/vocabulary.h"

namespace mbrt::bindings {

// Any number of threads may use it; it holds the GIL while it calls the Python object.
class PythonTokenizer final : public text::Tokenizer {
 public:
  // backend: a tokenizers.Tokenizer, or a callable that takes a list of texts (str, or tuples of two)
  // and returns a list of objects with the attributes ids, type_ids, offsets, sequence_ids and
  // word_ids of a tokenizers.Encoding; its methods id_to_token, token_to_id and get_vocab_size are
  // used when it has them.
  explicit PythonTokenizer(const pybind11::object& backend);
  ~PythonTokenizer() override;

  // Checks options.control before the call of the Python object, and for each encoding.
  void encode_batch(const text::Text* texts, std::size_t count, const text::EncodeOptions& options,
                    text::Encoding* out) const override;
  std::string piece(std::int32_t id) const override;
  std::optional<std::int32_t> id(std::string_view piece) const override;
  std::size_t size() const override;
  std::int32_t largest_id() const override;  // -1: not known

 private:
  struct Methods;
  std::unique_ptr<Methods> methods_;
};

// For tokenizer_of and the like: reads a tokenizer.json with the `tokenizers` library, and adds tokens.
// UnsupportedModelError, naming the extra to install, when it is missing.
std::shared_ptr<const text::Tokenizer> read_with_library(std::string_view json,
                                                         const std::vector<text::AddedToken>& added,
                                                         const UnsupportedModelError& reason);

// From a path, a tokenizers.Tokenizer or a callable.
FoundTokenizer tokenizer_from(const pybind11::object& source);

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_PYTHON_TOKENIZER_H_
