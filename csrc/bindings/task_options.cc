#include "bindings/task_options.h"

#include <string>

namespace mbrt::bindings {

void read(Keywords& keywords, TaskOptions* options) {
  options->max_length = keywords.take_size("max_length", 1);
  options->on_overflow = keywords.take_choice("on_overflow", kPolicies);
  options->stride = keywords.take_size("stride", 0);
  keywords.check_one_of("max_batch_tokens", "batch_size");
  options->max_batch_tokens =
      keywords.take_size("max_batch_tokens", 1).value_or(options->max_batch_tokens);
  options->batch_size = keywords.take_size("batch_size", 1);
}

void read(Keywords& keywords, EmbedderOptions* options) {
  read(keywords, static_cast<TaskOptions*>(options));
  if (const auto modes = keywords.take_as<std::string>("pooling", "a text")) {
    options->pooling = parse_pooling(*modes);
    if (options->pooling->empty()) {
      throw InputError("pooling: found " + shown(pybind11::str(*modes)) + "; expected " +
                       kPoolingNames + ".");
    }
  }
  options->normalize = keywords.take_flag("normalize");
  options->prompt = keywords.take_as<std::string>("prompt", "a text");
  options->prompt_name = keywords.take_as<std::string>("prompt_name", "a text");
  options->truncate_dim = keywords.take_size("truncate_dim", 1);
}

void read(Keywords& keywords, ClassifierOptions* options) {
  read(keywords, static_cast<TaskOptions*>(options));
  options->score_kind = keywords.take_choice("function_to_apply", kFunctions);
}

void read(Keywords& keywords, TokenClassifierOptions* options) {
  read(keywords, static_cast<TaskOptions*>(options));
  options->aggregation =
      keywords.take_choice("aggregation", kAggregations).value_or(options->aggregation);
  options->ignore_labels = keywords.take_texts("ignore_labels").value_or(options->ignore_labels);
}

void read(Keywords& keywords, QuestionAnswererOptions* options) {
  read(keywords, static_cast<TaskOptions*>(options));
  if (const auto stride = keywords.take_size("doc_stride", 0)) options->stride = stride;
  options->whole_words = keywords.take_flag("whole_words").value_or(options->whole_words);
}

}  // namespace mbrt::bindings
