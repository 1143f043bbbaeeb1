// The tasks of csrc/tasks as Python sees them. A call holds the GIL while it converts arguments and
// results, not while it tokenises and runs.
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/inputs.h"
#include "bindings/keywords.h"
#include "bindings/model.h"
#include "bindings/python_tokenizer.h"
#include "bindings/task_options.h"
#include "tasks/classifier.h"
#include "tasks/embedder.h"
#include "tasks/fill_mask.h"
#include "tasks/question_answerer.h"
#include "tasks/reranker.h"
#include "tasks/token_classifier.h"
#include "tasks/zero_shot.h"
#include "text/characters.h"

namespace mbrt::bindings {
namespace py = pybind11;
using namespace py::literals;
namespace {

using TextModelPointer = std::shared_ptr<TextModel>;

template <typename Call>
auto without_gil(const Call& call) {
  const ReleasedGil release;
  return call();
}

py::str as_str(std::string_view text) { return py::str(text.data(), text.size()); }

// The array takes the vector over.
py::array_t<float> as_array(std::vector<float> values, std::size_t rows, std::size_t columns) {
  auto* const owned = new std::vector<float>(std::move(values));
  const py::capsule owner(owned, [](void* held) { delete static_cast<std::vector<float>*>(held); });
  return py::array_t<float>(std::vector<std::size_t>{rows, columns}, owned->data(), owner);
}

TextModelPointer make_model(const Model& model, const std::string& name,
                            const py::object& tokenizer) {
  const std::shared_ptr<const Encoder>& encoder = model.encoder;
  FoundTokenizer found;
  if (tokenizer.is_none()) {
    found = without_gil(
        [&] { return tokenizer_of(encoder->file().metadata(), name, read_with_library); });
  } else if (py::isinstance<FoundTokenizer>(tokenizer)) {
    found = tokenizer.cast<FoundTokenizer>();
  } else {
    found = tokenizer_from(tokenizer);
  }
  return std::make_shared<TextModel>(encoder, name, std::move(found));
}

template <typename Made, typename Options>
Made make(const TextModelPointer& model, const py::kwargs& given) {
  Keywords keywords(given);
  Options options;
  read(keywords, &options);
  keywords.finish();
  return Made(model, options);
}

// A call of a task: its texts, and the keywords that all tasks share. Keywords of its own must have been
// taken before.
class Call {
 public:
  Call(Keywords& keywords, const py::tuple& texts)
      : first_index_(keywords.take_size("first_index", 0).value_or(0)),
        inputs_(texts, first_index_),
        progress_(keywords.take("progress")),
        truncated_(keywords.take("truncated")) {
    options_.first_index = first_index_;
    options_.threads = keywords.take_size("num_threads", 1).value_or(0);
    options_.control = take_control(keywords);
    options_.progress = [this](std::size_t count) { report(count); };
    if (!truncated_.is_none()) {
      options_.truncated = [this](std::size_t index, std::size_t tokens) {
        const AcquiredGil acquire;
        truncated_(index, tokens);
      };
    }
    keywords.finish();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const std::vector<Text>& texts() const { return inputs_.texts(); }

  // What task(texts, options) returns.
  template <typename Task>
  auto run(const Task& task) const {
    const ReleasedGil release;
    return task(texts(), options_);
  }

 private:
  // Checks for Ctrl-C from time to time: taking the GIL stops the other Python threads.
  void report(std::size_t count) {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kInterval{50};
    const Clock::time_point now = Clock::now();
    if (progress_.is_none() && now - last_check_ < kInterval) return;
    last_check_ = now;
    const AcquiredGil acquire;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!progress_.is_none()) progress_(count);
  }

  const std::size_t first_index_;
  const Inputs inputs_;
  const py::object progress_, truncated_;
  RunOptions options_;
  std::chrono::steady_clock::time_point last_check_ = std::chrono::steady_clock::now();
};

// One Python list for each text: convert(result, index of the text) for each of its results.
template <typename Result, typename Convert>
py::list as_lists(const std::vector<std::vector<Result>>& results, const Convert& convert) {
  py::list all(results.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    py::list found(results[i].size());
    for (std::size_t k = 0; k < results[i].size(); ++k) found[k] = convert(results[i][k], i);
    all[i] = std::move(found);
  }
  return all;
}

py::array_t<float> embed(const Embedder& task, const py::tuple& texts, const py::kwargs& given) {
  Keywords keywords(given);
  const Call call(keywords, texts);
  return as_array(call.run([&](const auto& t, const auto& run) { return task.embed(t, run); }),
                  texts.size(), task.dimension());
}

// Of a Classifier or a Reranker.
template <typename Made>
py::array_t<float> scores(const Made& task, const py::tuple& texts, const py::kwargs& given) {
  Keywords keywords(given);
  const Call call(keywords, texts);
  return as_array(call.run([&](const auto& t, const auto& run) { return task.scores(t, run); }),
                  texts.size(), task.labels().size());
}

// For each text: [(label, score)].
py::list classify(const Classifier& task, const py::tuple& texts, const py::kwargs& given) {
  Keywords keywords(given);
  const std::size_t top_k = keywords.take_size("top_k", 1).value_or(0);
  const Call call(keywords, texts);
  const auto results =
      call.run([&](const auto& t, const auto& run) { return task.classify(t, top_k, run); });
  return as_lists(results, [](const Classification& c, std::size_t) {
    return py::make_tuple(as_str(c.label), c.score);
  });
}

// For each text: (text, [label], [score]).
py::list classify_zero_shot(const ZeroShotClassifier& task, const py::tuple& texts,
                            const py::kwargs& given) {
  Keywords keywords(given);
  ZeroShotOptions wanted;
  const bool is_text = keywords.has_text("candidate_labels");
  wanted.labels = keywords.take_texts("candidate_labels").value_or(std::vector<std::string>());
  if (is_text) wanted.labels = split_labels(wanted.labels.front());
  wanted.hypothesis_template = keywords.take_as<std::string>("hypothesis_template", "a text")
                                   .value_or(std::move(wanted.hypothesis_template));
  wanted.multi_label = keywords.take_flag("multi_label").value_or(wanted.multi_label);
  const Call call(keywords, texts);
  const auto results =
      call.run([&](const auto& t, const auto& run) { return task.classify(t, wanted, run); });
  py::list all;
  for (std::size_t i = 0; i < results.size(); ++i) {
    py::list labels, scores;
    for (const Classification& c : results[i]) {
      labels.append(as_str(c.label));
      scores.append(c.score);
    }
    all.append(py::make_tuple(texts[i], labels, scores));
  }
  return all;
}

// [(index, score, document)], best first.
py::list rank(const Reranker& task, const py::tuple& documents, const py::kwargs& given) {
  Keywords keywords(given);
  const std::string query = keywords.take_as<std::string>("query", "a text").value_or("");
  const std::size_t top_k = keywords.take_size("top_k", 1).value_or(0);
  const Call call(keywords, documents);
  const auto rank = [&](const auto& t, const auto& run) { return task.rank(query, t, top_k, run); };
  py::list all;
  for (const Ranked& found : call.run(rank)) {
    all.append(py::make_tuple(found.index, found.score, documents[found.index]));
  }
  return all;
}

// For each text: [(text, label, score, start, end)].
py::list tag(const TokenClassifier& task, const py::tuple& texts, const py::kwargs& given) {
  Keywords keywords(given);
  const auto aggregation = keywords.take_choice("aggregation", kAggregations);
  const Call call(keywords, texts);
  const auto results =
      call.run([&](const auto& t, const auto& run) { return task.tag(t, run, aggregation); });
  text::CharacterCounter counter("");
  std::size_t counted = results.size();
  return as_lists(results, [&](const Entity& e, std::size_t i) {
    const std::string_view source = call.texts()[i].first;
    if (counted != i) counter = text::CharacterCounter(source);
    counted = i;
    const std::size_t start = counter.at(e.start);
    return py::make_tuple(as_str(source.substr(e.start, e.end - e.start)), as_str(e.label), e.score,
                          start, counter.at(e.end));
  });
}

// For each pair: [(text, score, start, end)].
py::list answer(const QuestionAnswerer& task, const py::tuple& pairs, const py::kwargs& given) {
  Keywords keywords(given);
  AnswerOptions wanted;
  keywords.check_one_of("n_best", "top_k");
  wanted.n_best = keywords.take_size("n_best", 1).value_or(wanted.n_best);
  wanted.n_best = keywords.take_size("top_k", 1).value_or(wanted.n_best);
  wanted.max_answer_length =
      keywords.take_size("max_answer_length", 1).value_or(wanted.max_answer_length);
  wanted.allow_no_answer = keywords.take_flag("allow_no_answer").value_or(wanted.allow_no_answer);
  wanted.null_threshold =
      keywords.take_number("null_threshold", -INFINITY, "a number").value_or(wanted.null_threshold);
  const Call call(keywords, pairs);
  const auto results =
      call.run([&](const auto& t, const auto& run) { return task.answer(t, wanted, run); });
  return as_lists(results, [&](const Answer& a, std::size_t i) {
    const std::string_view context = call.texts()[i].second.value_or("");
    text::CharacterCounter counter(context);
    const std::size_t start = counter.at(a.start);
    return py::make_tuple(as_str(context.substr(a.start, a.end - a.start)), a.score, start,
                          counter.at(a.end));
  });
}

// For each text, for each of its masks: [(token, token_id, score, sequence)].
py::list fill(const FillMask& task, const py::tuple& texts, const py::kwargs& given) {
  Keywords keywords(given);
  const std::size_t top_k = keywords.take_size("top_k", 1).value_or(FillMask::kDefaultTopK);
  std::optional<std::vector<std::int32_t>> targets;
  if (const auto words = keywords.take_texts("targets")) targets = task.target_ids(*words);
  const Call call(keywords, texts);
  const auto results =
      call.run([&](const auto& t, const auto& run) { return task.fill(t, top_k, run, targets); });
  return as_lists(results, [](const std::vector<Fill>& mask, std::size_t) {
    py::list proposals;
    for (const Fill& f : mask) {
      proposals.append(py::make_tuple(as_str(f.token), f.token_id, f.score, as_str(f.sequence)));
    }
    return proposals;
  });
}

// For each sequence that the model runs: (ids, type_ids).
py::list sequences(const Task& task, const py::tuple& texts, const py::kwargs& given) {
  Keywords keywords(given);
  const Call call(keywords, texts);
  const auto windows =
      call.run([&](const auto& t, const auto& run) { return task.encode(t, {0, t.size()}, run); });
  py::list found;
  for (const Window& w : windows) found.append(py::make_tuple(w.encoding.ids, w.encoding.types));
  return found;
}

std::vector<std::size_t> count_tokens(const Task& task, const py::tuple& texts) {
  const Inputs inputs(texts, 0);
  return without_gil([&] {
    std::vector<std::size_t> counts;
    for (const Text& text : inputs.texts()) counts.push_back(task.count_tokens(text));
    return counts;
  });
}

}  // namespace

void bind_tasks(py::module_& module) {
  py::class_<TextModel, TextModelPointer>(module, "TextModel")
      .def(py::init(&make_model), "model"_a, "name"_a, "tokenizer"_a = py::none())
      .def_property_readonly("labels", &TextModel::labels)
      .def_property_readonly("mask_token", &TextModel::mask_token)
      .def_property_readonly("tokenizer", [](const TextModel& m) {
        return FoundTokenizer{m.shared_tokenizer(), m.mask_token()};
      });
  py::class_<Limits>(module, "Limits")
      .def_readonly("max_length", &Limits::max_length)
      .def_readonly("stride", &Limits::stride)
      .def_property_readonly("on_overflow",
                             [](const Limits& l) { return name_in(kPolicies, l.on_overflow); });
  py::class_<Task>(module, "Task")
      .def_property_readonly("limits", &Task::limits)
      .def_property_readonly("max_batch_tokens", &Task::max_batch_tokens)
      .def_property_readonly("prompt", &Task::prompt)
      .def_property_readonly("group_bytes",
                             [](const Task& t) { return group_bytes(t.max_batch_tokens()); })
      .def("count_tokens", &count_tokens)
      .def("sequences", &sequences);
  py::class_<Embedder, Task>(module, "Embedder")
      .def(py::init(&make<Embedder, EmbedderOptions>))
      .def("embed", &embed)
      .def_property_readonly("dimension", &Embedder::dimension)
      .def_property_readonly("normalize", &Embedder::normalize)
      .def_property_readonly("pooling",
                             [](const Embedder& e) { return pooling_text(e.pooling()); });
  py::class_<Classifier, Task>(module, "Classifier")
      .def(py::init(&make<Classifier, ClassifierOptions>))
      .def("classify", &classify)
      .def("scores", &scores<Classifier>)
      .def_property_readonly("function_to_apply", [](const Classifier& c) {
        return name_in(kFunctions, c.score_kind());
      });
  py::class_<Reranker, Classifier>(module, "Reranker")
      .def(py::init(&make<Reranker, ClassifierOptions>))
      .def("scores", &scores<Reranker>)
      .def("rank", &rank);
  py::class_<ZeroShotClassifier, Task>(module, "ZeroShotClassifier")
      .def(py::init(&make<ZeroShotClassifier, TaskOptions>))
      .def("classify", &classify_zero_shot);
  py::class_<TokenClassifier, Task>(module, "TokenClassifier")
      .def(py::init(&make<TokenClassifier, TokenClassifierOptions>))
      .def("tag", &tag)
      .def_property_readonly("ignored_labels", &TokenClassifier::ignored_labels)
      .def_property_readonly("aggregation", [](const TokenClassifier& t) {
        return name_in(kAggregations, t.aggregation());
      });
  py::class_<QuestionAnswerer, Task>(module, "QuestionAnswerer")
      .def(py::init(&make<QuestionAnswerer, QuestionAnswererOptions>))
      .def("answer", &answer)
      .def_property_readonly("whole_words", &QuestionAnswerer::whole_words);
  py::class_<FillMask, Task>(module, "FillMask")
      .def(py::init(&make<FillMask, TaskOptions>))
      .def("fill", &fill);
}

}  // namespace mbrt::bindings
