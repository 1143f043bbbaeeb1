// mbrt answer: answers to questions, from a context.
#include "base/error.h"
#include "tasks/question_answerer.h"
#include "text/characters.h"
#include "tools/commands.h"

namespace mbrt::tools {
namespace {

std::string context_of(const Arguments& arguments) {
  const std::optional<std::string> given = arguments.text("--context");
  const std::optional<std::string> file = arguments.text("--file");
  if (given && file) throw UsageError("--context: found --file too. Give one of the two.");
  const std::string context =
      given ? checked_utf8(*given, "context") : LineReader(file).whole_text();
  if (one_line(context).empty()) throw InputError("context: found no text; expected some.");
  return context;
}

Json::Object json_of(const Input& input, const std::vector<Answer>& answers) {
  const std::string& context = *input.second;
  text::CharacterCounter starts(context), ends(context);
  return {{"question", input.first},
          {"answers", array_of(answers, [&](const Answer& found) {
             return Json::Object{{"text", context.substr(found.start, found.end - found.start)},
                                 {"score", found.score},
                                 {"start", starts.at(found.start)},
                                 {"end", ends.at(found.end)}};
           })}};
}

void run(const Arguments& arguments, const Program& program) {
  AnswerOptions wanted;
  wanted.n_best = arguments.count("--n-best", 1).value_or(wanted.n_best);
  wanted.max_answer_length =
      arguments.count("--max-answer-length", 1).value_or(wanted.max_answer_length);
  wanted.allow_no_answer = arguments.has("--allow-no-answer");
  const std::string context = context_of(arguments);
  Inputs questions;
  for (const std::string& question : arguments.texts()) {
    questions.push_back({question, context, utf8_problem(question)});
  }
  TextSource source(std::move(questions), "question");
  const QuestionAnswerer answerer(load_model(arguments, program), {task_options(arguments)});
  run_over(source, arguments,
           [&](const Inputs& inputs, const Texts& texts, const RunOptions& options) {
             return each(inputs, answerer.answer(texts, wanted, options), json_of);
           });
}

constexpr Option kOptions[] = {
    {"--context", 'c', "TEXT", "the text that contains the answers"},
    {"--file", 'f', "PATH", "the file that contains them; - is standard input"},
    {"--n-best", 'n', "N", "number of answers per question (default: 1)"},
    {"--max-answer-length", 0, "N", "maximum tokens per answer (default: 15)"},
    {"--allow-no-answer", 0, "", "allow an empty answer (SQuAD 2.0 models)"},
    {"--json", 0, "",
     "one JSON object per line: {\"question\", \"answers\": [{\"text\", \"score\", \"start\", "
     "\"end\"}]}"},
    kQuiet,
};
constexpr OptionGroup kGroups[] = {kModelGroup, kLimitGroup, {"context and output", kOptions}};

}  // namespace

const Command kAnswer{
    .name = "answer",
    .summary = "answer questions from a text",
    .about =
        "Answer questions from a text, the context, with a question answering model. The "
        "context is\n--context, the content of --file, or standard input; it may have any "
        "length.",
    .words = "MODEL QUESTION [QUESTION ...]",
    .groups = kGroups,
    .examples =
        "mbrt answer squad.safetensors \"Who wrote it?\" --context \"It was written by Ada "
        "Lovelace.\"\n"
        "mbrt answer squad.safetensors \"When was it built?\" \"By whom?\" --file "
        "article.txt --n-best 3 --json",
    .run = run,
};

}  // namespace mbrt::tools
