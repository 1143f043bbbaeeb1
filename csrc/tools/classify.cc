// mbrt classify: texts, or pairs of texts, to labels.
#include "tasks/classifier.h"
#include "tools/commands.h"

namespace mbrt::tools {
namespace {

using Labels = std::vector<Classification>;

Json::Object json_of(const Input& input, const Labels& labels) {
  Json text = input.first;
  if (input.second) text = Json::Array{input.first, *input.second};
  return {{"text", text}, {"labels", array_of(labels, [](const Classification& found) {
                             return Json::Object{{"label", found.label}, {"score", found.score}};
                           })}};
}

// By name; the model's own without a name.
std::optional<ScoreKind> score_kind_of(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  if (*name == "none") return ScoreKind::kNone;
  return *name == "sigmoid" ? ScoreKind::kSigmoid : ScoreKind::kSoftmax;
}

void run(const Arguments& arguments, const Program& program) {
  const std::size_t default_top_k = arguments.has("--json") ? 0 : 1;
  const std::size_t top_k = arguments.count("--top-k", 1).value_or(default_top_k);
  TextSource source(arguments, arguments.has("--pairs"));
  const Classifier classifier(
      load_model(arguments, program),
      {task_options(arguments), score_kind_of(arguments.text("--function-to-apply"))});
  run_over(source, arguments,
           [&](const Inputs& inputs, const Texts& texts, const RunOptions& options) {
             return each(inputs, classifier.classify(texts, top_k, options), json_of);
           });
}

constexpr Option kOptions[] = {
    kFile,
    {"--pairs", 0, "", "classify pairs: two arguments each, or lines TEXT<tab>TEXT"},
    {"--function-to-apply", 0, "softmax|sigmoid|none",
     "how outputs become scores (default: as the model says)"},
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
