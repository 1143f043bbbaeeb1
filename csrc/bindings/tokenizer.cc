// Tokenizer: the C++ tokenizer, or a Python object behind its interface, as Python sees it.
#include <pybind11/stl.h>

#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/inputs.h"
#include "bindings/python_tokenizer.h"
#include "text/characters.h"

namespace mbrt::bindings {
namespace py = pybind11;
using namespace py::literals;
namespace {

// As the attributes of a tokenizers.Encoding: (ids, type_ids, offsets, sequence_ids, word_ids).
py::tuple as_tuple(const text::Encoding& e, const text::Text& text) {
  const auto or_none = [](int value) {
    return value < 0 ? py::object(py::none()) : py::int_(value);
  };
  text::CharacterCounter counters[2] = {text::CharacterCounter(text.first),
                                        text::CharacterCounter(text.second.value_or(""))};
  py::list offsets, parts, words;
  for (std::size_t i = 0; i < e.size(); ++i) {
    text::CharacterCounter& counter = counters[e.part[i] == 1];
    const bool is_special = e.part[i] < 0;
    const std::size_t begin = is_special ? 0 : counter.at(e.begin[i]);
    offsets.append(py::make_tuple(begin, is_special ? 0 : counter.at(e.end[i])));
    parts.append(or_none(e.part[i]));
    words.append(or_none(e.word[i]));
  }
  return py::make_tuple(e.ids, e.types, offsets, parts, words);
}

py::list encode_batch(const FoundTokenizer& found, const py::tuple& texts, std::size_t threads) {
  const Inputs inputs(texts, 0);
  std::vector<text::Encoding> encodings(texts.size());
  {
    const ReleasedGil release;
    found.tokenizer->encode_batch(inputs.texts().data(), encodings.size(),
                                  {.offsets = true, .max_threads = threads}, encodings.data());
  }
  py::list result;
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    result.append(as_tuple(encodings[i], inputs.texts()[i]));
  }
  return result;
}

// Why native programs cannot read the tokenizer in a model file's metadata; nullopt when they can.
std::optional<std::string> native_problem(const Metadata& metadata) {
  try {
    tokenizer_of(metadata, "the model file");
  } catch (const Error& error) {
    return error.what();
  }
  return std::nullopt;
}

}  // namespace

void bind_tokenizer(py::module_& module) {
  module.def("native_tokenizer_problem", &native_problem, "metadata"_a);
  py::class_<FoundTokenizer>(module, "Tokenizer")
      .def(py::init(&tokenizer_from), "source"_a)
      .def("encode_batch", &encode_batch, "texts"_a, "num_threads"_a = 1)
      .def("piece", [](const FoundTokenizer& f, std::int32_t id) { return f.tokenizer->piece(id); })
      .def("id", [](const FoundTokenizer& f, const std::string& s) { return f.tokenizer->id(s); })
      .def_property_readonly("size", [](const FoundTokenizer& f) { return f.tokenizer->size(); })
      .def_property_readonly("mask_token", &FoundTokenizer::mask_token);
}

}  // namespace mbrt::bindings
