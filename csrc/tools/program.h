// What the programs that have these commands differ in: the native `mbrt`, and the Python package's.
#ifndef MBRT_TOOLS_PROGRAM_H_
#define MBRT_TOOLS_PROGRAM_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/encoder.h"
#include "tasks/vocabulary.h"
#include "tools/json.h"

namespace mbrt::tools {

struct ModelRequest {
  std::string path;
  std::optional<std::string> precision;  // "int8" or "fp32"
  std::optional<std::string> isa;
};

struct Program {
  // Loads a model. InputError for a file of another precision.
  std::function<std::shared_ptr<const Encoder>(const ModelRequest&)> load;
  // Reads a tokenizer.json that WordPiece cannot read; may be empty.
  OtherTokenizer other_tokenizer;
  // Facts for `info`, in addition to those of the machine.
  std::function<Json::Object()> facts;
};

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_PROGRAM_H_
