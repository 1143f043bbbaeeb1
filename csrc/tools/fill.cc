// mbrt fill: proposals for the masks of texts.
#include "tasks/fill_mask.h"
#include "tools/commands.h"

namespace mbrt::tools {
namespace {

using Masks = std::vector<std::vector<Fill>>;

Json::Object json_of(const Input& input, const Masks& masks) {
  const auto proposal = [](const Fill& found) {
    return Json::Object{{"token", found.token},
                        {"token_id", static_cast<std::uint32_t>(found.token_id)},
                        {"score", found.score},
                        {"sequence", found.sequence}};
  };
  const auto proposals = [&](const std::vector<Fill>& mask) { return array_of(mask, proposal); };
  return {{"text", input.first}, {"masks", array_of(masks, proposals)}};
}

void run(const Arguments& arguments, const Program& program) {
  const std::size_t top_k = arguments.count("--top-k", 1).value_or(5);
  TextSource source(arguments, false);
  const FillMask fill(load_model(arguments, program), task_options(arguments));
  std::optional<std::vector<std::int32_t>> targets;
  if (arguments.has("--targets")) targets = fill.target_ids(arguments.list("--targets"));
  run_over(source, arguments,
           [&](const Inputs& inputs, const Texts& texts, const RunOptions& options) {
             return each(inputs, fill.fill(texts, top_k, options, targets), json_of);
           });
}

constexpr Option kOptions[] = {
    kFile,
    {"--top-k", 'k', "N", "number of proposals per mask (default: 5)"},
    {"--targets", 0, "LIST", "propose only these words, with commas between them"},
    {"--json", 0, "",
     "one JSON object per line: {\"text\", \"masks\": [[{\"token\", \"token_id\", \"score\", "
     "\"sequence\"}]]}"},
    kQuiet,
};
constexpr OptionGroup kGroups[] = {kModelGroup, kLimitGroup, {"texts and output", kOptions}};

}  // namespace

const Command kFill{
    .name = "fill",
    .summary = "propose words for [MASK]",
    .about = "Propose words for each [MASK] of a text, with a masked language model.",
    .words = "MODEL [TEXT ...]",
    .groups = kGroups,
    .examples =
        "mbrt fill mobilebert.safetensors \"Paris is the [MASK] of France.\"\n"
        "echo \"The [MASK] barked.\" | mbrt fill mobilebert.safetensors --top-k 3 --json",
    .run = run,
};

}  // namespace mbrt::tools
