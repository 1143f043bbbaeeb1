// mbrt zero-shot: texts to labels that the user chooses.
#include "tasks/zero_shot.h"

#include "tools/commands.h"

namespace mbrt::tools {
namespace {

Json::Object json_of(const Input& input, const std::vector<Classification>& labels) {
  return {{"text", input.first}, {"labels", array_of(labels, [](const Classification& found) {
                                    return Json::Object{{"label", found.label},
                                                        {"score", found.score}};
                                  })}};
}

void run(const Arguments& arguments, const Program& program) {
  ZeroShotOptions wanted;
  const std::optional<std::string> labels = arguments.text("--labels");
  if (labels) wanted.labels = split_labels(checked_utf8(*labels, "--labels"));
  if (wanted.labels.empty()) throw UsageError("--labels: found no labels; expected one or more.");
  if (const std::optional<std::string> given = arguments.text("--template")) {
    wanted.hypothesis_template = checked_utf8(*given, "--template");
  }
  wanted.multi_label = arguments.has("--multi-label");
  TextSource source(arguments, false);
  const ZeroShotClassifier classifier(load_model(arguments, program), task_options(arguments));
  run_over(source, arguments,
           [&](const Inputs& inputs, const Texts& texts, const RunOptions& options) {
             return each(inputs, classifier.classify(texts, wanted, options), json_of);
           });
}

constexpr Option kOptions[] = {
    {"--labels", 'l', "LIST", "the labels, with commas between them"},
    {"--template", 0, "TEXT", "{} stands for the label (default: \"This example is {}.\")"},
    {"--multi-label", 0, "", "score each label by itself, so that several can be true"},
    kFile,
    {"--json", 0, "", "one JSON object per line: {\"text\", \"labels\": [{\"label\", \"score\"}]}"},
    kQuiet,
};
constexpr OptionGroup kGroups[] = {
    kModelGroup, kLimitGroup, {"labels, texts and output", kOptions}};

}  // namespace

const Command kZeroShot{
    .name = "zero-shot",
    .summary = "label texts with labels of your own",
    .about =
        "Label texts with labels of your own, with a model for natural language inference (MNLI): "
        "a label's\nscore says how much the text entails the template with the label in it. Long "
        "texts are truncated by\ndefault.",
    .words = "MODEL [TEXT ...]",
    .groups = kGroups,
    .examples =
        "mbrt zero-shot mnli.safetensors \"The match ended two to one.\" --labels sport,politics\n"
        "mbrt zero-shot mnli.safetensors --file news.txt --labels \"sport, the economy\" "
        "--template \"It is about {}.\" --multi-label --json",
    .run = run,
};

}  // namespace mbrt::tools
