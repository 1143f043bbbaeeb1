// mbrt rank: documents in the order of their relevance to a query.
#include "tasks/reranker.h"
#include "tools/commands.h"

namespace mbrt::tools {
namespace {

struct Document {
  std::size_t index;  // among the inputs
  std::string text;
};

void print_ranked(const std::vector<Document>& documents, const std::vector<float>& scores,
                  std::size_t top_k, bool as_json) {
  for (const Ranked& found : ranked(scores, top_k)) {
    const Document& document = documents[found.index];
    const double score = static_cast<double>(found.score);
    const Json::Object json{{"index", document.index}, {"score", score}, {"text", document.text}};
    print(as_json ? Json(json).text() + "\n"
                  : formatted("%zu  %7.4f  ", document.index + 1, score) + one_line(document.text) +
                        "\n");
  }
}

void run(const Arguments& arguments, const Program& program) {
  const std::size_t top_k = arguments.count("--top-k", 1).value_or(0);
  const std::string query = checked_utf8(arguments.texts().front(), "query");
  TextSource source(arguments, false, 1);
  const Reranker reranker(load_model(arguments, program), {task_options(arguments), {}});
  std::vector<Document> documents;
  std::vector<float> scores;
  run_over(source, arguments,
           [&](const Inputs& inputs, const Texts& texts, const RunOptions& options) {
             Texts pairs;
             for (const Text& document : texts) pairs.push_back({query, document.first});
             const std::vector<float> found = reranker.scores(pairs, options);
             scores.insert(scores.end(), found.begin(), found.end());
             for (std::size_t i = 0; i < inputs.size(); ++i) {
               documents.push_back({options.first_index + i, inputs[i].first});
             }
             return ResultOf();
           });
  print_ranked(documents, scores, top_k, arguments.has("--json"));
}

constexpr Option kOptions[] = {
    {"--file", 'f', "PATH", "read one document per line; - is standard input"},
    {"--top-k", 'k', "N", "number of documents shown (default: all)"},
    {"--json", 0, "",
     "one JSON object per line, best first: {\"index\", \"score\", \"text\"}; index counts from 0"},
    kQuiet,
};
constexpr OptionGroup kGroups[] = {kModelGroup, kLimitGroup, {"documents and output", kOptions}};

}  // namespace

const Command kRank{
    .name = "rank",
    .summary = "order documents by their relevance to a query",
    .about =
        "Order documents by their relevance to a query, with a cross-encoder: a sequence "
        "classification\nmodel of one label. Shows the number of each document, its score and its "
        "text, best first. Long\ndocuments are truncated by default.",
    .words = "MODEL QUERY [DOCUMENT ...]",
    .groups = kGroups,
    .examples =
        "mbrt rank cross-encoder.safetensors \"How do plants make their food?\" --file "
        "passages.txt --top-k 3\n"
        "mbrt rank cross-encoder.safetensors \"a query\" \"a document\" \"another\" --json",
    .run = run,
};

}  // namespace mbrt::tools
