// mbrt fill: proposals for the masks of texts.
#include "tasks/fill_mask.h"
#include "tools/commands.h"
#include "tools/options.h"

namespace mbrt::tools {
namespace {

void configure(Arguments& arguments) {
  add_model(arguments);
  add_texts(arguments);
  add_text_limits(arguments);
  arguments.option("--top-k", 'k', "N", "proposals a mask (default: 5)");
  add_json(arguments,
           "a JSON object a line: {\"text\", \"masks\": [[{\"token\", \"token_id\", \"score\", "
           "\"sequence\"}]]}");
  add_quiet(arguments);
  arguments.example("mbrt fill mobilebert.safetensors \"Paris is the [MASK] of France.\"");
  arguments.example(
      "echo \"The [MASK] barked.\" | mbrt fill mobilebert.safetensors --top-k 3 --json");
}

void show_as_json(const Input& input, const std::vector<std::vector<Fill>>& masks) {
  JsonWriter json;
  json.begin_object();
  write_text(json, input);
  json.key("masks").begin_array();
  for (const std::vector<Fill>& mask : masks) {
    json.begin_array();
    for (const Fill& found : mask) {
      json.begin_object().key("token").string(found.token).key("token_id");
      json.integer(static_cast<std::uint64_t>(found.token_id)).key("score");
      json.number(static_cast<double>(found.score)).key("sequence").string(found.sequence);
      json.end_object();
    }
    json.end_array();
  }
  print(json.end_array().end_object().text() + "\n");
}

void show(const std::vector<std::vector<Fill>>& masks) {
  for (std::size_t i = 0; i < masks.size(); ++i) {
    for (const Fill& found : masks[i]) {
      print((masks.size() > 1 ? formatted("%zu: ", i + 1) : "") +
            formatted("%7.4f  ", static_cast<double>(found.score)) + padded(found.token, 14) + " " +
            one_line(found.sequence) + "\n");
    }
  }
}

void run(const Arguments& arguments) {
  const std::size_t top_k = positive(arguments, "--top-k", 5);
  TextSource source(arguments, false);
  TaskOptions options;
  set_limits(arguments, &options);
  const FillMask fill(load_model(arguments), options);
  const bool as_json = arguments.has("--json");
  run_over(
      source, run_options(arguments), arguments.has("--quiet"),
      [&](const std::vector<Text>& texts, const RunOptions& run) {
        return fill.fill(texts, top_k, run);
      },
      [&](std::size_t, const Input& input, const std::vector<std::vector<Fill>>& masks) {
        as_json ? show_as_json(input, masks) : show(masks);
      });
}

}  // namespace

const Command kFill{"fill", "propose words for [MASK]",
                    "Propose words for each [MASK] of a text, with a masked language model.",
                    configure, run};

}  // namespace mbrt::tools
