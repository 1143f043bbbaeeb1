// mbrt tag: names, places and the like in texts.
#include "tasks/token_classifier.h"
#include "tools/commands.h"
#include "tools/options.h"

namespace mbrt::tools {
namespace {

void configure(Arguments& arguments) {
  add_model(arguments);
  add_texts(arguments);
  add_text_limits(arguments);
  arguments.option("--aggregation", 0, "HOW",
                   "each token alone; neighbours of one type joined (default); words settled "
                   "before that, by their first token or by their surest",
                   {"none", "simple", "first", "max"});
  add_json(arguments,
           "a JSON object a line: {\"text\", \"entities\": [{\"text\", \"label\", \"score\", "
           "\"start\", \"end\"}]}");
  add_quiet(arguments);
  arguments.example("mbrt tag ner.safetensors \"Ada Lovelace lived in London.\"");
  arguments.example("mbrt tag ner.safetensors --file letters.txt --on-overflow stride --json");
}

Aggregation aggregation_of(const std::string& name) {
  if (name == "none") return Aggregation::kNone;
  if (name == "first") return Aggregation::kFirst;
  return name == "max" ? Aggregation::kMax : Aggregation::kSimple;
}

void show(std::size_t number, const Input& input, const std::vector<Entity>& entities,
          bool as_json) {
  CharacterCounter starts(input.first), ends(input.first);
  JsonWriter json;
  json.begin_object();
  write_text(json, input);
  json.key("entities").begin_array();
  for (const Entity& found : entities) {
    const std::string text = input.first.substr(found.start, found.end - found.start);
    const std::size_t start = starts.at(found.start), end = ends.at(found.end);
    const auto score = static_cast<double>(found.score);
    if (as_json) {
      json.begin_object().key("text").string(text).key("label").string(found.label);
      json.key("score").number(score).key("start").integer(start).key("end").integer(end);
      json.end_object();
    } else {
      print(padded(formatted("%zu:%zu-%zu", number + 1, start, end), 14) + " " +
            padded(found.label, 12) + formatted(" %7.4f  ", score) + one_line(text) + "\n");
    }
  }
  if (as_json) print(json.end_array().end_object().text() + "\n");
}

void run(const Arguments& arguments) {
  TextSource source(arguments, false);
  TokenClassifierOptions options;
  set_limits(arguments, &options);
  options.aggregation = aggregation_of(arguments.value("--aggregation").value_or("simple"));
  const TokenClassifier tagger(load_model(arguments), options);
  const bool as_json = arguments.has("--json");
  run_over(
      source, run_options(arguments), arguments.has("--quiet"),
      [&](const std::vector<Text>& texts, const RunOptions& run) { return tagger.tag(texts, run); },
      [&](std::size_t number, const Input& input, const std::vector<Entity>& entities) {
        show(number, input, entities, as_json);
      });
}

}  // namespace

const Command kTag{"tag", "find names, places and the like in texts",
                   "Find names, places and the like in texts, with a token classification "
                   "model.\n\nOffsets count characters of the text; --aggregation says how tokens "
                   "join to entities.",
                   configure, run};

}  // namespace mbrt::tools
