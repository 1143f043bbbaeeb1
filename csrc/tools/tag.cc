// mbrt tag: names, places and other entities in texts.
#include "tasks/token_classifier.h"
#include "tools/commands.h"

namespace mbrt::tools {
namespace {

void show(std::size_t number, const Input& input, const std::vector<Entity>& entities,
          bool as_json) {
  CharacterCounter starts(input.first), ends(input.first);
  Json::Array found;
  for (const Entity& entity : entities) {
    const std::string text = input.first.substr(entity.start, entity.end - entity.start);
    const std::size_t start = starts.at(entity.start), end = ends.at(entity.end);
    if (as_json) {
      found.push_back(Json::Object{{"text", text},
                                   {"label", entity.label},
                                   {"score", entity.score},
                                   {"start", start},
                                   {"end", end}});
    } else {
      print(padded(formatted("%zu:%zu-%zu", number + 1, start, end), 14) + " " +
            padded(entity.label, 12) + formatted(" %7.4f  ", static_cast<double>(entity.score)) +
            one_line(text) + "\n");
    }
  }
  if (as_json) {
    print(Json(Json::Object{{"text", input.first}, {"entities", found}}).text() + "\n");
  }
}

Aggregation aggregation_of(const std::string& name) {
  if (name == "none") return Aggregation::kNone;
  if (name == "first") return Aggregation::kFirst;
  return name == "max" ? Aggregation::kMax : Aggregation::kSimple;
}

void run(const Arguments& arguments) {
  TextSource source(arguments, false);
  TokenClassifierOptions options{task_options(arguments)};
  options.aggregation = aggregation_of(arguments.text("--aggregation").value_or("simple"));
  const TokenClassifier tagger(load_model(arguments), options);
  run_over(
      source, arguments,
      [&](const std::vector<Text>& texts, const RunOptions& run) { return tagger.tag(texts, run); },
      [&](std::size_t number, const Input& input, const std::vector<Entity>& entities) {
        show(number, input, entities, arguments.has("--json"));
      });
}

constexpr Option kOptions[] = {
    kFile,
    {"--aggregation", 0, "none|simple|first|max", "how tokens become entities (default: simple)"},
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
        "adjacent tokens of one type;\nfirst or max, label each word by its first or its most "
        "certain token before joining.",
    .words = "MODEL [TEXT ...]",
    .groups = kGroups,
    .examples =
        "mbrt tag ner.safetensors \"Ada Lovelace lived in London.\"\n"
        "mbrt tag ner.safetensors --file letters.txt --on-overflow stride --json",
    .run = run,
};

}  // namespace mbrt::tools
