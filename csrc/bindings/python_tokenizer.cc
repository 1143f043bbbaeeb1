#include "bindings/python_tokenizer.h"

#include <utility>
#include <vector>

#include "base/error.h"
#include "bindings/gil.h"
#include "text/characters.h"

namespace mbrt::bindings {
namespace py = pybind11;
using namespace py::literals;
namespace {

using text::Encoding;
using text::Text;

py::str as_str(std::string_view text) { return py::str(text.data(), text.size()); }

// A list of integers; None becomes -1.
template <typename T>
std::vector<T> integers(const py::handle& object, const char* attribute) {
  std::vector<T> values;
  for (const py::handle value : py::reinterpret_borrow<py::object>(object).attr(attribute)) {
    values.push_back(value.is_none() ? T{-1} : value.cast<T>());
  }
  return values;
}

bool has_contiguous_parts(const Encoding& e, int parts) {
  bool seen[2] = {false, false};
  for (std::size_t i = 0; i < e.size(); ++i) {
    const int part = e.part[i];
    if (part == -1 || (i > 0 && e.part[i - 1] == part)) continue;
    if (part < 0 || part >= parts || seen[part]) return false;
    seen[part] = true;
  }
  return true;
}

void check(const Encoding& e, const Text& text) {
  const bool same_size =
      e.types.size() == e.size() && e.part.size() == e.size() && e.word.size() == e.size();
  if (same_size && has_contiguous_parts(e, text.second ? 2 : 1)) return;
  throw InputError(
      "tokenizer: an encoding's ids, type_ids, sequence_ids and word_ids differ in length, or its "
      "sequence_ids are not contiguous; expected the attributes of a tokenizers.Encoding.");
}

// Character offsets to bytes of the token's part.
void read_offsets(const py::handle& object, const Text& text, Encoding* out) {
  std::vector<std::uint32_t> starts[2] = {text::character_starts(text.first),
                                          text::character_starts(text.second.value_or(""))};
  std::size_t i = 0;
  for (const py::handle pair : py::reinterpret_borrow<py::object>(object).attr("offsets")) {
    const auto [begin, end] = pair.cast<std::pair<std::size_t, std::size_t>>();
    if (i == out->size()) break;
    const int part = out->part[i++];
    const std::vector<std::uint32_t>& bytes = starts[part == 1];
    if (begin > end || end >= bytes.size()) {
      throw InputError("tokenizer: token offsets " + std::to_string(begin) + " to " +
                       std::to_string(end) + " are outside of the text of " +
                       std::to_string(bytes.size() - 1) + " characters.");
    }
    out->begin.push_back(part < 0 ? 0 : bytes[begin]);
    out->end.push_back(part < 0 ? 0 : bytes[end]);
  }
  if (i == out->size()) return;
  throw InputError("tokenizer: an encoding has " + std::to_string(out->size()) + " ids and " +
                   std::to_string(i) + " offsets; expected one for each.");
}

Encoding read_encoding(const py::handle& object, const Text& text, bool offsets) {
  Encoding out;
  out.ids = integers<std::int32_t>(object, "ids");
  out.types = integers<std::int32_t>(object, "type_ids");
  out.part = integers<std::int8_t>(object, "sequence_ids");
  out.word = integers<std::int32_t>(object, "word_ids");
  check(out, text);
  if (offsets) read_offsets(object, text, &out);
  return out;
}

}  // namespace

struct PythonTokenizer::Methods {
  py::object encode, encode_fast, id_to_token, token_to_id, get_vocab_size;
};

PythonTokenizer::PythonTokenizer(const py::object& backend) : methods_(new Methods) {
  const auto method = [&](const char* name, const py::object& otherwise) {
    return py::getattr(backend, name, otherwise);
  };
  methods_->encode = method("encode_batch", backend);
  methods_->encode_fast = method("encode_batch_fast", methods_->encode);
  methods_->id_to_token = method("id_to_token", py::none());
  methods_->token_to_id = method("token_to_id", py::none());
  methods_->get_vocab_size = method("get_vocab_size", py::none());
}

PythonTokenizer::~PythonTokenizer() {
  const AcquiredGil acquire;
  methods_.reset();
}

void PythonTokenizer::encode_batch(const Text* texts, std::size_t count,
                                   const text::EncodeOptions& options, Encoding* out) const {
  throw_if_stopped(options.control);
  const AcquiredGil acquire;
  py::list inputs;
  for (std::size_t i = 0; i < count; ++i) {
    const py::str first = as_str(texts[i].first);
    if (texts[i].second) {
      inputs.append(py::make_tuple(first, as_str(*texts[i].second)));
    } else {
      inputs.append(first);
    }
  }
  const py::list encodings((options.offsets ? methods_->encode : methods_->encode_fast)(inputs));
  if (encodings.size() != count) {
    throw InputError("tokenizer: it returned " + std::to_string(encodings.size()) +
                     " encodings for " + std::to_string(count) + " texts; expected one for each.");
  }
  for (std::size_t i = 0; i < count; ++i) {
    throw_if_stopped(options.control);
    out[i] = read_encoding(encodings[i], texts[i], options.offsets);
  }
}

std::string PythonTokenizer::piece(std::int32_t id) const {
  const AcquiredGil acquire;
  if (methods_->id_to_token.is_none()) return {};
  const py::object piece = methods_->id_to_token(id);
  return piece.is_none() ? std::string() : piece.cast<std::string>();
}

std::optional<std::int32_t> PythonTokenizer::id(std::string_view piece) const {
  const AcquiredGil acquire;
  if (methods_->token_to_id.is_none()) return std::nullopt;
  const py::object id = methods_->token_to_id(as_str(piece));
  if (id.is_none()) return std::nullopt;
  return id.cast<std::int32_t>();
}

std::size_t PythonTokenizer::size() const {
  const AcquiredGil acquire;
  return methods_->get_vocab_size.is_none() ? 0 : methods_->get_vocab_size().cast<std::size_t>();
}

std::int32_t PythonTokenizer::largest_id() const { return static_cast<std::int32_t>(size()) - 1; }

namespace {

// ModelFormatError when a token gets another id than declared.
void add_tokens(const py::object& library, const py::object& backend,
                const std::vector<text::AddedToken>& added) {
  py::set there;
  for (const auto& entry : backend.attr("get_added_tokens_decoder")().cast<py::dict>()) {
    there.add(entry.second.attr("content"));
  }
  for (const text::AddedToken& token : added) {
    const py::str content = as_str(token.content);
    if (token.implied && backend.attr("token_to_id")(content).is_none()) continue;
    if (!there.contains(content)) {
      py::list tokens;  // the library takes nothing else
      tokens.append(library.attr("AddedToken")(content, "single_word"_a = token.single_word,
                                               "lstrip"_a = token.lstrip, "rstrip"_a = token.rstrip,
                                               "normalized"_a = token.normalized));
      backend.attr("add_tokens")(tokens);
    }
    const auto id = backend.attr("token_to_id")(content).cast<std::int32_t>();
    if (token.id == text::AddedToken::kNoId || token.id == id) continue;
    throw ModelFormatError("tokenizer.json: the added token \"" + token.content + "\" has the id " +
                           std::to_string(token.id) + " in the files beside it; expected " +
                           std::to_string(id) + ".");
  }
}

}  // namespace

std::shared_ptr<const text::Tokenizer> read_with_library(std::string_view json,
                                                         const std::vector<text::AddedToken>& added,
                                                         const UnsupportedModelError& reason) {
  const AcquiredGil acquire;
  try {
    const py::object library = py::module_::import("tokenizers");
    const py::object backend = library.attr("Tokenizer").attr("from_str")(as_str(json));
    add_tokens(library, backend, added);
    backend.attr("no_truncation")();  // many published files truncate at 128 tokens
    backend.attr("no_padding")();
    return std::make_shared<const PythonTokenizer>(backend);
  } catch (py::error_already_set& error) {
    if (error.matches(PyExc_ImportError)) {
      throw UnsupportedModelError(std::string(reason.what()) +
                                  "\nOther tokenizers need the `tokenizers` library: pip install "
                                  "'mobilebert-rt[tokenizers]'");
    }
    if (!error.matches(PyExc_Exception)) throw;  // KeyboardInterrupt
    throw ModelFormatError(std::string("the installed `tokenizers` library cannot read it: ") +
                           std::string(py::str(error.value())));
  }
}

FoundTokenizer tokenizer_from(const py::object& source) {
  if (py::isinstance<py::str>(source) || py::hasattr(source, "__fspath__")) {
    const std::string path = path_bytes(source);
    const ReleasedGil release;
    return tokenizer_at(path, read_with_library);
  }
  if (py::hasattr(source, "to_str")) {  // a tokenizers.Tokenizer; the caller's own stays unchanged
    const auto json = source.attr("to_str")().cast<std::string>();
    return tokenizer_from_json(json, "tokenizer", read_with_library);
  }
  if (PyCallable_Check(source.ptr()) == 0) {
    throw InputError(std::string("tokenizer: found ") + Py_TYPE(source.ptr())->tp_name +
                     "; expected a path, a tokenizers.Tokenizer or a callable.");
  }
  return {std::make_shared<const PythonTokenizer>(source), std::nullopt};
}

}  // namespace mbrt::bindings
