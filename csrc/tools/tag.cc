// mbrt tag: names, places and other entities in texts.
#include "tasks/token_classifier.h"
#include "text/characters.h"
#include "tools/commands.h"

namespace mbrt::tools {
namespace {

Json::Object json_of(const Input& input, const std::vector<Entity>& entities) {
  text::CharacterCounter starts(input.first), ends(input.first);
  return {{"text", input.first},
          {"entities", array_of(entities, [&](const Entity& found) {
             return Json::Object{{"text", input.first.substr(found.start, found.end - found.start)},
                                 {"label", found.label},
                                 {"score", found.score},
                                 {"start", starts.at(found.start)},
                                 {"end", ends.at(found.end)}};
           })}};
}

Aggregation aggregation_of(const std::string& name) {
  if (name == "none") return Aggregation::kNone;
  if (name == "first") return Aggregation::kFirst;
  if (name == "average") return Aggregation::kAverage;
  return name == "max" ? Aggregation::kMax : Aggregation::kSimple;
}

void run(const Arguments& arguments, const Program& program) {
  TextSource source(arguments, false);
  TokenClassifierOptions made{task_options(arguments)};
  made.aggregation = aggregation_of(arguments.text("--aggregation").value_or("simple"));
  if (arguments.has("--ignore-labels")) made.ignore_labels = arguments.list("--ignore-labels");
  const TokenClassifier tagger(load_model(arguments, program), made);
  run_over(source, arguments,
           [&](const Inputs& inputs, const Texts& texts, const RunOptions& options) {
             return each(inputs, tagger.tag(texts, options), json_of);
           });
}

constexpr Option kOptions[] = {
    kFile,
    {"--aggregation", 0, "none|simple|first|average|max",
     "how tokens become entities (default: simple)"},
    {"--ignore-labels", 0, "LIST", "labels that are left out, with commas (default: O)"},
    {"--json", 0, "",
     "one JSON object per line: {\"text\", \"entities\": [{\"text\", \"label\", \"score\", "
     "\"start\", \"end\"}]}"},
    kQuiet,
};
constexpr OptionGroup kGroups[] = {kModelGroup, kLimitGroup, {"texts and output", kOptions}};

}  // namespace

const Command kTag{
    .name = "tag",
    .summary = "find names, places and other entities in texts",
    .about =
        "Find names, places and other entities in texts, with a token classification model. "
        "Offsets count\ncharacters. --aggregation: none, each token by itself; simple, join "
        "adjacent tokens of one type;\nfirst, average or max, label each word by its first token, "
        "the mean of its tokens or its most\ncertain token before joining.",
    .words = "MODEL [TEXT ...]",
    .groups = kGroups,
    .examples =
        "mbrt tag ner.safetensors \"Ada Lovelace lived in London.\"\n"
        "mbrt tag ner.safetensors --file letters.txt --on-overflow stride --json",
    .run = run,
};

}  // namespace mbrt::tools
