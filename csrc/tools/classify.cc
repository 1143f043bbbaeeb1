// mbrt classify: texts, or pairs of texts, to labels.
#include "tasks/classifier.h"
#include "tools/commands.h"
#include "tools/options.h"

namespace mbrt::tools {

namespace {

void configure(Arguments& arguments) {
  add_model(arguments);
  add_texts(arguments);
  add_text_limits(arguments);
  arguments.flag("--pairs", 0, "arguments two by two, or lines TEXT<tab>TEXT");
  arguments.option("--top-k", 'k', "N", "labels shown (default: 1; all with --json)");
  add_json(arguments, "a JSON object a line: {\"text\", \"labels\": [{\"label\", \"score\"}]}");
  add_quiet(arguments);
  arguments.example("mbrt classify sst2.safetensors \"a warm, funny film\"");
  arguments.example("mbrt classify mrpc.safetensors --pairs \"He left.\" \"He went away.\"");
  arguments.example(
      "mbrt classify sst2.safetensors --file reviews.txt --on-overflow truncate --json");
}

void show(const Input& input, const std::vector<Classification>& labels, bool as_json) {
  if (as_json) {
    JsonWriter json;
    json.begin_object();
    write_text(json, input);
    json.key("labels").begin_array();
    for (const Classification& found : labels) {
      json.begin_object().key("label").string(found.label);
      json.key("score").number(static_cast<double>(found.score)).end_object();
    }
    return print(json.end_array().end_object().text() + "\n");
  }
  const std::string text =
      one_line(input.second ? input.first + " | " + *input.second : input.first);
  for (const Classification& found : labels) {
    print(padded(found.label, 12) + formatted(" %9.4f  ", static_cast<double>(found.score)) + text +
          "\n");
  }
}

void run(const Arguments& arguments) {
  const bool as_json = arguments.has("--json");
  const std::size_t top_k = positive(arguments, "--top-k", as_json ? 0 : 1);
  TextSource source(arguments, arguments.has("--pairs"));
  ClassifierOptions options;
  set_limits(arguments, &options);
  const Classifier classifier(load_model(arguments), options);
  run_over(
      source, run_options(arguments), arguments.has("--quiet"),
      [&](const std::vector<Text>& texts, const RunOptions& run) {
        return classifier.classify(texts, top_k, run);
      },
      [&](std::size_t, const Input& input, const std::vector<Classification>& labels) {
        show(input, labels, as_json);
      });
}

}  // namespace

const Command kClassify{
    "classify", "label texts, or pairs of texts",
    "Label texts, or pairs of texts, with a sequence classification "
    "model.\n\nScores are probabilities (softmax, or one by one for multi-label "
    "models); a regression model\ngives its number.",
    configure, run};

}  // namespace mbrt::tools
