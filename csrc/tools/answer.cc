// mbrt answer: answers from a context.
#include "base/error.h"
#include "tasks/question_answerer.h"
#include "tools/commands.h"
#include "tools/options.h"

namespace mbrt::tools {
namespace {

void configure(Arguments& arguments) {
  add_model(arguments);
  arguments.positional("QUESTION", Arguments::Count::kSome, "asked of the same context");
  arguments.option("--context", 'c', "TEXT", "the text that holds the answers");
  arguments.option("--file", 'f', "PATH", "the file that holds the context; - is standard input");
  arguments.option("--n-best", 'n', "N", "answers a question (default: 1)");
  arguments.option("--max-answer-length", 0, "N", "tokens (default: 30)");
  arguments.flag("--allow-no-answer", 0, "an empty answer may win (SQuAD 2.0 models)");
  add_text_limits(arguments, "384, or all the model takes");
  add_json(arguments,
           "a JSON object a line: {\"question\", \"answers\": [{\"text\", \"score\", \"start\", "
           "\"end\"}]}");
  add_quiet(arguments);
  arguments.example(
      "mbrt answer squad.safetensors \"Who wrote it?\" --context \"It was written by Ada "
      "Lovelace.\"");
  arguments.example(
      "mbrt answer squad.safetensors \"When was it built?\" \"By whom?\" --file article.txt "
      "--n-best 3 --json");
}

std::string context_of(const Arguments& arguments) {
  const std::optional<std::string> context = arguments.value("--context");
  const std::optional<std::string> file = arguments.value("--file");
  if (context && file) {
    throw InputError("the context was given by --context and by --file; choose one.");
  }
  return context ? checked_text(*context, "the context") : whole_text(file ? &*file : nullptr);
}

void show(const std::string& question, const std::string& context,
          const std::vector<Answer>& answers, bool as_json) {
  CharacterCounter counter(context);
  JsonWriter json;
  json.begin_object().key("question").string(question).key("answers").begin_array();
  for (const Answer& found : answers) {
    const std::string text = context.substr(found.start, found.end - found.start);
    const std::size_t start = counter.at(found.start), end = counter.at(found.end);
    const auto score = static_cast<double>(found.score);
    if (as_json) {
      json.begin_object().key("text").string(text).key("score").number(score);
      json.key("start").integer(start).key("end").integer(end).end_object();
    } else {
      const std::string line = one_line(text);
      print(formatted("%7.4f  ", score) + padded(formatted("%zu-%zu", start, end), 12) + " " +
            (line.empty() ? "(no answer)" : line) + "\n");
    }
  }
  if (as_json) print(json.end_array().end_object().text() + "\n");
}

void run(const Arguments& arguments) {
  const std::string context = context_of(arguments);
  if (one_line(context).empty()) {
    throw InputError("the context is empty; there is nothing to answer from.");
  }
  AnswerOptions wanted;
  wanted.n_best = positive(arguments, "--n-best", wanted.n_best);
  wanted.max_answer_length = positive(arguments, "--max-answer-length", wanted.max_answer_length);
  wanted.allow_no_answer = arguments.has("--allow-no-answer");
  QuestionAnswererOptions options;
  set_limits(arguments, &options);
  const QuestionAnswerer answerer(load_model(arguments), options);
  RunOptions run = run_options(arguments);

  const std::vector<std::string> questions = arguments.rest();
  const bool as_json = arguments.has("--json");
  Progress progress(questions.size(), "questions", arguments.has("--quiet"));
  for (const std::string& word : questions) {
    const std::string question = checked_text(word, "input " + std::to_string(run.first_index));
    const auto answers = answerer.answer({{question, context}}, wanted, run);
    progress.update(1);
    progress.clear();
    if (!as_json && questions.size() > 1) print(question + "\n");
    show(question, context, answers.front(), as_json);
    flush();
    ++run.first_index;
  }
}

}  // namespace

const Command kAnswer{"answer", "answer questions from a text",
                      "Answer questions from a text (the context), with a question answering "
                      "model.\n\nThe context is --context, the whole of --file, or standard input; "
                      "it may be of any length.",
                      configure, run};

}  // namespace mbrt::tools
