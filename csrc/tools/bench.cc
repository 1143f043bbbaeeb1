// mbrt bench: latency, throughput, load time and memory.
#include <algorithm>
#include <random>

#include "base/cpu_count.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "base/thread_pool.h"
#include "model/message.h"
#include "tasks/windows.h"
#include "tools/commands.h"
#include "tools/measure.h"
#include "tools/progress.h"

namespace mbrt::tools {
namespace {

struct Plan {
  std::vector<std::optional<std::string>> precisions;
  std::vector<std::size_t> lengths, batch_sizes, threads;
  std::size_t warmup, repeats, seed;
  double seconds;
};

Plan plan_of(const Arguments& arguments) {
  const std::vector<std::string> precisions = arguments.list("--precision");
  Plan plan{
      .precisions = {precisions.begin(), precisions.end()},
      .lengths = arguments.counts("--lengths").value_or(std::vector<std::size_t>{8, 32, 128}),
      .batch_sizes = arguments.counts("--batch-sizes").value_or(std::vector<std::size_t>{1}),
      .threads =
          arguments.counts("--threads", kMaxThreads).value_or(std::vector{default_thread_count()}),
      .warmup = arguments.count("--warmup", 0).value_or(3),
      .repeats = arguments.count("--repeats", 1).value_or(100),
      .seed = arguments.count("--seed", 0).value_or(0),
      .seconds = arguments.positive("--seconds").value_or(5.0),
  };
  if (precisions.empty()) plan.precisions = {std::nullopt};
  return plan;
}

// The batch of one line of the report. length: tokens per sequence; nothing for texts.
struct Case {
  std::size_t batch_size;
  std::optional<std::size_t> length;
  PackedSequences packed = {};
};

// A call with a case's batch, with memory for everything that the model computes.
class Call {
 public:
  Call(const Encoder& encoder, const Case& one, std::size_t threads)
      : encoder_(encoder), threads_(threads), batch_(one.packed.batch()) {
    control_.cancelled = &interrupted();
    const OutputShapes& shapes = encoder.shapes();
    const auto reserve = [&](const OutputShape& shape, std::vector<float>& values) {
      values.resize(shape.rows(batch_.tokens(), batch_.sequences) * shape.stride());
      return values.empty() ? nullptr : values.data();
    };
    outputs_.last_hidden_state = reserve(shapes.hidden, hidden_);
    outputs_.pooled = reserve(shapes.pooled, pooled_);
    outputs_.logits = reserve(shapes.logits, logits_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void operator()() { encoder_.run(batch_, outputs_, control_, threads_); }

 private:
  const Encoder& encoder_;
  std::size_t threads_;
  Batch batch_;
  Outputs outputs_;
  CallControl control_;
  std::vector<float> hidden_, pooled_, logits_;
};

std::vector<Case> random_cases(const Plan& plan, const Encoder& encoder) {
  const std::size_t longest = *std::max_element(plan.lengths.begin(), plan.lengths.end());
  if (longest > encoder.config().max_positions) {
    throw UsageError(formatted("--lengths: found %zu; expected at most %zu, the model's limit.",
                               longest, static_cast<std::size_t>(encoder.config().max_positions)));
  }
  std::mt19937_64 random(plan.seed);
  std::vector<Case> cases;
  for (const std::size_t size : plan.batch_sizes) {
    for (const std::size_t length : plan.lengths) {
      Case& one = cases.emplace_back(Case{size, length});
      std::vector<std::int32_t> row(length);
      for (std::size_t i = 0; i < size; ++i) {
        for (std::int32_t& id : row) {
          id = static_cast<std::int32_t>(random() % encoder.config().vocab_size);
        }
        one.packed.add(row);
      }
    }
  }
  return cases;
}

std::vector<std::string> lines_with_text(const std::string& path) {
  LineReader reader(path);
  std::vector<std::string> found;
  for (std::vector<std::string> lines; !(lines = reader.next_lines()).empty();) {
    for (const std::string& line : lines) {
      if (!one_line(line).empty()) found.push_back(checked_utf8(line, path));
    }
  }
  if (found.empty()) throw InputError(path + ": found no text; expected one text per line.");
  return found;
}

// Batches of the file's first lines, from the start again when they are few. tokenize_ms: the time of
// one text.
std::vector<Case> text_cases(const Plan& plan, const TextModel& model, const std::string& path,
                             std::optional<double>* tokenize_ms) {
  const std::vector<std::string> lines = lines_with_text(path);
  const std::size_t count = *std::max_element(plan.batch_sizes.begin(), plan.batch_sizes.end());
  std::vector<Text> texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back({lines[i % lines.size()], std::nullopt});
  const Limits limits{model.config().max_positions, OnOverflow::kTruncate, 0};
  std::vector<Window> windows;
  const auto tokenize = [&] {
    const RunOptions run{.threads = 1};
    windows = encode_windows(model.tokenizer(), texts, {0, texts.size()}, limits, run, false);
  };
  *tokenize_ms = measure(tokenize, 1, 10, 1.0).p50 / static_cast<double>(texts.size());
  std::vector<Case> cases;
  for (const std::size_t size : plan.batch_sizes) {
    Case& one = cases.emplace_back(Case{size, std::nullopt});
    for (std::size_t i = 0; i < size; ++i) one.packed.add(windows[i].encoding.ids);
  }
  return cases;
}

struct Report {
  Json::Array lines;
  std::vector<std::vector<std::string>> rows;  // the same for people
  std::string notes;
};

// What is measured once per loaded model.
struct Loaded {
  std::shared_ptr<const Encoder> encoder;
  std::size_t threads;
  double load_ms = 0, first_call_ms = 0;
  std::optional<double> tokenize_ms = {};
};

void add_line(Report* report, const Loaded& model, const Case& one, const Timing& ms,
              std::optional<std::uint64_t> peak_bytes, bool peak_is_of_line) {
  const Encoder& encoder = *model.encoder;
  const std::string precision = precision_name(encoder.config());
  const std::size_t tokens = one.packed.tokens();
  const double calls_per_second = 1e3 / ms.mean;
  const double tokens_per_second = static_cast<double>(tokens) * calls_per_second;
  report->lines.push_back(
      Json::Object{{"precision", precision},
                   {"isa", encoder.kernels().isa},
                   {"threads", model.threads},
                   {"batch_size", one.batch_size},
                   {"length", one.length},
                   {"tokens", tokens},
                   {"ms", Json::Object{{"p50", ms.p50},
                                       {"p90", ms.p90},
                                       {"p99", ms.p99},
                                       {"mean", ms.mean},
                                       {"calls", ms.calls}}},
                   {"tokens_per_second", tokens_per_second},
                   {"sequences_per_second", static_cast<double>(one.batch_size) * calls_per_second},
                   {"load_ms", model.load_ms},
                   {"first_call_ms", model.first_call_ms},
                   {"tokenize_ms", model.tokenize_ms},
                   {"peak_bytes", peak_bytes},
                   {"peak_is_of_line", peak_is_of_line},
                   {"model_bytes", Json::Object{{"weights", encoder.file().bytes()},
                                                {"workspace", encoder.workspace_bytes()}}}});
  const auto decimal = [](double value, int digits) { return formatted("%.*f", digits, value); };
  report->rows.push_back({precision, std::to_string(model.threads), std::to_string(one.batch_size),
                          thousands(tokens), decimal(ms.p50, 3), decimal(ms.p90, 3),
                          decimal(ms.p99, 3),
                          thousands(static_cast<std::uint64_t>(tokens_per_second + 0.5)),
                          decimal(model.load_ms, 1), decimal(model.first_call_ms, 1),
                          peak_bytes ? decimal(static_cast<double>(*peak_bytes) / 1e6, 1) : "-"});
}

std::string notes_of(const Loaded& model, bool peak_is_of_line) {
  std::string notes =
      cpu_name() + ", " + model.encoder->kernels().isa + ", mobilebert_rt " MBRT_VERSION "\n";
  if (model.tokenize_ms) {
    notes +=
        formatted("tokenisation: %.3f ms per text, not part of the calls\n", *model.tokenize_ms);
  }
  return notes + (peak_is_of_line ? "" : "peak MB: of the process so far, not of the line\n");
}

void measure_model(const Arguments& arguments, const Program& program, const Plan& plan,
                   const std::optional<std::string>& precision, std::size_t threads,
                   Progress& progress, Report* report) {
  const ModelRequest request{arguments.model(), precision, arguments.text("--isa")};
  Loaded model{.encoder = nullptr, .threads = threads};
  model.load_ms = time_of([&] { model.encoder = program.load(request); });
  const Encoder& encoder = *model.encoder;
  const std::optional<std::string> text = arguments.text("--text");
  const std::vector<Case> cases =
      text ? text_cases(plan, *load_text_model(model.encoder, arguments, program), *text,
                        &model.tokenize_ms)
           : random_cases(plan, encoder);
  Call first(encoder, cases.front(), threads);
  model.first_call_ms = time_of([&] { first(); });
  for (const Case& one : cases) {
    encoder.trim();
    const bool peak_is_of_line = reset_peak_memory();
    Call call(encoder, one, threads);
    const Timing timing = measure([&] { call(); }, plan.warmup, plan.repeats, plan.seconds);
    if (report->notes.empty()) report->notes = notes_of(model, peak_is_of_line);
    add_line(report, model, one, timing, peak_memory(), peak_is_of_line);
    progress.update(1);
  }
}

void run(const Arguments& arguments, const Program& program) {
  const Plan plan = plan_of(arguments);
  const std::size_t lengths = arguments.has("--text") ? 1 : plan.lengths.size();
  Progress progress(
      plan.precisions.size() * plan.threads.size() * plan.batch_sizes.size() * lengths, "lines",
      arguments.has("--quiet"));
  Report report;
  report.rows = {{"precision", "threads", "batch", "tokens", "p50 ms", "p90 ms", "p99 ms",
                  "tokens/s", "load ms", "first ms", "peak MB"}};
  for (const std::optional<std::string>& precision : plan.precisions) {
    for (const std::size_t threads : plan.threads) {
      measure_model(arguments, program, plan, precision, threads, progress, &report);
    }
  }
  progress.clear();
  if (!arguments.has("--json")) return print(report.notes + table(report.rows));
  const Json::Object options{{"warmup", plan.warmup},
                             {"repeats", plan.repeats},
                             {"seconds", plan.seconds},
                             {"seed", plan.seed}};
  const Json json = Json::Object{
      {"machine", describe_machine(program)}, {"options", options}, {"lines", report.lines}};
  print(json.text() + "\n");
}

constexpr Option kSweep[] = {
    {"--precision", 0, "int8|fp32[,...]", "of the model; both of a folder: int8,fp32"},
    {"--lengths", 0, "LIST", "tokens per sequence (default: 8,32,128)"},
    {"--batch-sizes", 0, "LIST", "sequences per call (default: 1)"},
    {"--threads", 0, "LIST", "threads per call (default: all usable cores)"},
    {"--text", 0, "PATH", "batches of this file's lines instead of random ids"},
};
constexpr Option kOptions[] = {
    kIsa,
    kTokenizer,
    {"--warmup", 0, "N", "untimed calls (default: 3)"},
    {"--repeats", 0, "N", "maximum number of timed calls (default: 100)"},
    {"--seconds", 0, "S", "maximum time per line (default: 5)"},
    {"--seed", 0, "N", "of the random ids (default: 0)"},
    {"--json", 0, "", "one JSON object: machine, options, and the lines with all numbers"},
    kQuiet,
};
constexpr OptionGroup kGroups[] = {{"combinations, as lists such as 8,32,128", kSweep},
                                   {"model, measurement and output", kOptions}};

}  // namespace

const Command kBench{
    .name = "bench",
    .summary = "measure latency, throughput, load time and memory",
    .about =
        "Measure latency, throughput, load time and memory for combinations of lengths, batch "
        "sizes and\nthreads. Each line is one combination: percentiles of the call time in "
        "milliseconds, tokens per\nsecond at the mean call time, and the peak memory of the "
        "process. Load time and the first call\nare measured once per precision and thread count. "
        "Sequences are random ids, or the "
        "lines of --text.",
    .words = "MODEL",
    .needs_no_head = true,
    .groups = kGroups,
    .examples =
        "mbrt bench default --lengths 8,32,128 --threads 1,2\n"
        "mbrt bench ./mobilebert-sst2 --precision int8,fp32 --batch-sizes 1,16 --json\n"
        "mbrt bench sst2.safetensors --text reviews.txt --batch-sizes 1,8,32 --json",
    .run = run,
};

}  // namespace mbrt::tools
