// mbrt classify: texts, or pairs of texts, to labels.
#include "tasks/classifier.h"
#include "tools/commands.h"

namespace mbrt::tools {
namespace {

using Labels = std::vector<Classification>;

Json json_of(const Input& input, const Labels& labels) {
  Json text = input.first;
  if (input.second) text = Json::Array{input.first, *input.second};
  return Json::Object{{"text", text}, {"labels", array_of(labels, [](const Classification& found) {
                                         return Json::Object{{"label", found.label},
                                                             {"score", found.score}};
                                       })}};
}

std::string lines_of(const Input& input, const Labels& labels) {
  const std::string text =
      one_line(input.second ? input.first + " | " + *input.second : input.first);
  std::string lines;
  for (const Classification& found : labels) {
    lines += padded(found.label, 12) + formatted(" %9.4f  ", static_cast<double>(found.score)) +
             text + "\n";
  }
  return lines;
}

void run(const Arguments& arguments) {
  const bool as_json = arguments.has("--json");
  const std::size_t top_k = arguments.count("--top-k", 1).value_or(as_json ? 0 : 1);
  TextSource source(arguments, arguments.has("--pairs"));
  const ClassifierOptions options{task_options(arguments), {}};
  const Classifier classifier(load_model(arguments), options);
  run_over(
      source, arguments,
      [&](const std::vector<Text>& texts, const RunOptions& run) {
        return classifier.classify(texts, top_k, run);
      },
      [&](std::size_t, const Input& input, const Labels& labels) {
        print(as_json ? json_of(input, labels).text() + "\n" : lines_of(input, labels));
      });
}

constexpr Option kOptions[] = {
    kFile,
    {"--pairs", 0, "", "classify pairs: two arguments each, or lines TEXT<tab>TEXT"},
    {"--top-k", 'k', "N", "number of labels shown (default: 1; all with --json)"},
    {"--json", 0, "", "one JSON object per line: {\"text\", \"labels\": [{\"label\", \"score\"}]}"},
    kQuiet,
};
constexpr OptionGroup kGroups[] = {kModelGroup, kLimitGroup, {"texts and output", kOptions}};

}  // namespace

const Command kClassify{
    .name = "classify",
    .summary = "label texts, or pairs of texts",
    .about =
        "Label texts, or pairs of texts, with a sequence classification model. Scores are "
        "probabilities\n(softmax; sigmoid for multi-label models); a regression model gives "
        "its output.",
    .words = "MODEL [TEXT ...]",
    .groups = kGroups,
    .examples =
        "mbrt classify sst2.safetensors \"a warm, funny film\"\n"
        "mbrt classify mrpc.safetensors --pairs \"He left.\" \"He went away.\"\n"
        "mbrt classify sst2.safetensors --file reviews.txt --on-overflow truncate --json",
    .run = run,
};

}  // namespace mbrt::tools
