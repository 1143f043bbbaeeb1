// mbrt bench: latency, throughput, load time and memory. The table and the JSON of
// mobilebert_rt/cli/bench.py, so that boards can be compared whichever program measured them; only
// the random ids differ.
#include <algorithm>
#include <random>

#include "base/cpu_count.h"
#include "base/error.h"
#include "model/message.h"
#include "tasks/windows.h"
#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/measure.h"
#include "tools/options.h"

namespace mbrt::tools {
namespace {

void configure(Arguments& arguments) {
  arguments.positional("MODEL", Arguments::Count::kOne, "a model file, written by `mbrt convert`");
  arguments.group("what is swept: lists such as 8,32,128");
  arguments.option("--lengths", 0, "LIST", "tokens of a sequence (default: 8,32,128)");
  arguments.option("--batch-sizes", 0, "LIST", "sequences of a call (default: 1)");
  arguments.option("--threads", 0, "LIST", "threads (default: what this process may use)");
  arguments.option("--text", 0, "PATH", "batches of this file's lines instead of random ids");
  arguments.group("how");
  arguments.option("--precision", 0, "NAME", "what the file must have been written with",
                   {"int8", "fp32"});
  arguments.option("--isa", 0, "NAME", "kernel set, one of those that `mbrt info` lists");
  add_tokenizer(arguments);
  arguments.option("--warmup", 0, "N", "untimed calls (default: 3)");
  arguments.option("--repeats", 0, "N", "timed calls at most (default: 100)");
  arguments.option("--seconds", 0, "S", "time a line at most (default: 5)");
  arguments.option("--seed", 0, "N", "of the random ids (default: 0)");
  add_json(arguments, "a JSON object: the machine, the options, and the lines with all numbers");
  add_quiet(arguments);
  arguments.example("mbrt bench sst2.safetensors --lengths 8,32,128 --threads 1,2");
  arguments.example("mbrt bench sst2.safetensors --text reviews.txt --batch-sizes 1,8,32 --json");
}

struct Plan {
  std::vector<std::size_t> lengths, batch_sizes, threads;
  std::size_t warmup, repeats, seed;
  double seconds;
};

Plan plan_of(const Arguments& arguments) {
  Plan plan;
  plan.lengths = arguments.positive_list("--lengths", "lengths")
                     .value_or(std::vector<std::size_t>{8, 32, 128});
  plan.batch_sizes =
      arguments.positive_list("--batch-sizes", "sizes").value_or(std::vector<std::size_t>{1});
  plan.threads = arguments.positive_list("--threads", "thread counts")
                     .value_or(std::vector<std::size_t>{default_thread_count()});
  plan.repeats = positive(arguments, "--repeats", 100);
  const std::int64_t warmup = arguments.integer("--warmup").value_or(3);
  plan.seconds = arguments.number("--seconds").value_or(5.0);
  if (warmup < 0 || !(plan.seconds > 0)) {
    throw InputError("--warmup should be 0 or more, --seconds more than 0.");
  }
  for (const std::size_t count : plan.threads) {
    if (count > kMaxThreads) {
      throw InputError("--threads has " + std::to_string(count) +
                       "; give whole numbers from 1 to 256.");
    }
  }
  plan.warmup = static_cast<std::size_t>(warmup);
  plan.seed = static_cast<std::size_t>(arguments.integer("--seed").value_or(0));
  return plan;
}

// One line of the sweep: id rows of any length. length: 0 for texts.
struct Case {
  std::size_t batch_size;
  std::size_t length;
  std::vector<std::int32_t> ids;
  std::vector<std::size_t> offsets{0};

  void add(const std::int32_t* row, std::size_t tokens) {
    ids.insert(ids.end(), row, row + tokens);
    offsets.push_back(ids.size());
  }
};

// A case's calls, with room for everything that the model puts out.
class Call {
 public:
  Call(const Encoder& encoder, const Case& one, std::size_t threads)
      : encoder_(encoder), threads_(threads) {
    batch_.sequences = one.offsets.size() - 1;
    batch_.offsets = one.offsets.data();
    batch_.ids = one.ids.data();
    control_.cancelled = &interrupted();
    const std::size_t tokens = one.ids.size(), width = encoder.widths().hidden;
    hidden_.resize(tokens * width);
    outputs_.last_hidden_state = hidden_.data();
    if (encoder.config().pooler != Pooler::kNone) {
      pooled_.resize(batch_.sequences * width);
      outputs_.pooled = pooled_.data();
    }
    const Heads& heads = encoder.heads();
    if (heads.logits_width() > 0) {
      logits_.resize((heads.logits_are_per_token() ? tokens : batch_.sequences) *
                     heads.logits_width());
      outputs_.logits = logits_.data();
    }
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

std::vector<Case> random_cases(const Plan& plan, const Encoder& encoder, const std::string& path) {
  const std::size_t longest = *std::max_element(plan.lengths.begin(), plan.lengths.end());
  if (longest > encoder.config().max_positions) {
    throw InputError("--lengths has " + std::to_string(longest) + "; " + path + " takes at most " +
                     std::to_string(encoder.config().max_positions) + " tokens.");
  }
  std::mt19937_64 random(plan.seed);
  std::vector<Case> cases;
  for (const std::size_t size : plan.batch_sizes) {
    for (const std::size_t length : plan.lengths) {
      Case& one = cases.emplace_back(Case{size, length, {}, {0}});
      std::vector<std::int32_t> row(length);
      for (std::size_t i = 0; i < size; ++i) {
        for (std::int32_t& id : row) {
          id = static_cast<std::int32_t>(random() % encoder.config().vocab_size);
        }
        one.add(row.data(), length);
      }
    }
  }
  return cases;
}

// Batches of the file's first lines (from the start again when few); tokenize_ms: of one text.
std::vector<Case> text_cases(const Plan& plan, const TextModel& model, const std::string& path,
                             double* tokenize_ms) {
  const std::vector<std::string> lines = lines_with_text(whole_text(&path));
  if (lines.empty()) throw InputError(path + " has no text.");
  const Limits limits{model.config().max_positions, OnOverflow::kTruncate, 0};
  const std::size_t most = *std::max_element(plan.batch_sizes.begin(), plan.batch_sizes.end());
  std::vector<Text> texts;
  texts.reserve(most);
  for (std::size_t i = 0; i < most; ++i) texts.push_back({lines[i % lines.size()], std::nullopt});
  std::vector<Window> windows;
  const auto tokenize = [&] {
    const RunOptions run{.threads = 1};
    windows = encode_windows(model.tokenizer(), texts, {0, texts.size()}, limits, run, false);
  };
  *tokenize_ms = repeat(tokenize, 1, 10, 1.0).p50 / static_cast<double>(most);
  std::vector<Case> cases;
  for (const std::size_t size : plan.batch_sizes) {
    Case& one = cases.emplace_back(Case{size, 0, {}, {0}});
    for (std::size_t i = 0; i < size; ++i) {
      one.add(windows[i].encoding.ids.data(), windows[i].size());
    }
  }
  return cases;
}

// What one line of the report says.
struct Line {
  std::string precision, isa;
  std::size_t threads, batch_size, length, tokens;
  Timing ms;
  double load_ms, first_call_ms;
  std::optional<double> tokenize_ms;
  std::optional<std::uint64_t> peak_bytes;
  bool peak_is_of_line;
  std::size_t weight_bytes, workspace_bytes;

  double per_second(std::size_t count) const { return static_cast<double>(count) / ms.mean * 1e3; }
};

// The lines of one loaded model.
void measure(const Arguments& arguments, const Plan& plan, std::size_t threads, Progress& progress,
             std::vector<Line>* lines) {
  const std::string& path = arguments.first();
  std::shared_ptr<const Encoder> encoder;
  const double load_ms = clock_of([&] { encoder = load_encoder(path, arguments); });
  std::optional<double> tokenize_ms;
  std::vector<Case> cases;
  if (const std::optional<std::string> text = arguments.value("--text")) {
    const std::optional<std::string> tokenizer = arguments.value("--tokenizer");
    const TextModel model =
        tokenizer ? TextModel(encoder, path, tokenizer_at(*tokenizer)) : TextModel(encoder, path);
    cases = text_cases(plan, model, *text, &tokenize_ms.emplace());
  } else {
    cases = random_cases(plan, *encoder, path);
  }
  Call first(*encoder, cases.front(), threads);
  const double first_ms = clock_of([&] { first(); });
  for (const Case& one : cases) {
    encoder->trim();
    const bool resettable = reset_peak_memory();
    Call call(*encoder, one, threads);
    const Timing timing = repeat([&] { call(); }, plan.warmup, plan.repeats, plan.seconds);
    lines->push_back({precision_name(encoder->config()), encoder->kernels().isa, threads,
                      one.batch_size, one.length, one.ids.size(), timing, load_ms, first_ms,
                      tokenize_ms, peak_memory(), resettable, encoder->file().bytes(),
                      encoder->workspace_bytes()});
    progress.update(1);
  }
}

void write_line(JsonWriter& json, const Line& line) {
  json.begin_object().key("precision").string(line.precision).key("isa").string(line.isa);
  json.key("threads").integer(line.threads).key("batch_size").integer(line.batch_size);
  json.key("length");
  line.length == 0 ? json.null() : json.integer(line.length);
  json.key("tokens").integer(line.tokens).key("ms").begin_object();
  json.key("p50").number(line.ms.p50).key("p90").number(line.ms.p90);
  json.key("p99").number(line.ms.p99).key("mean").number(line.ms.mean);
  json.key("calls").integer(line.ms.calls).end_object();
  json.key("tokens_per_second").number(line.per_second(line.tokens));
  json.key("sequences_per_second").number(line.per_second(line.batch_size));
  json.key("load_ms").number(line.load_ms).key("first_call_ms").number(line.first_call_ms);
  json.key("tokenize_ms");
  line.tokenize_ms ? json.number(*line.tokenize_ms) : json.null();
  json.key("peak_bytes");
  line.peak_bytes ? json.integer(*line.peak_bytes) : json.null();
  json.key("peak_is_of_line").boolean(line.peak_is_of_line).key("model_bytes").begin_object();
  json.key("weights").integer(line.weight_bytes);
  json.key("workspace").integer(line.workspace_bytes).end_object().end_object();
}

void print_as_json(const Plan& plan, const std::vector<Line>& lines) {
  JsonWriter json(true);
  json.begin_object().key("machine");
  write_machine(json);
  json.key("options").begin_object().key("warmup").integer(plan.warmup);
  json.key("repeats").integer(plan.repeats).key("seconds").number(plan.seconds);
  json.key("seed").integer(plan.seed).end_object().key("lines").begin_array();
  for (const Line& line : lines) write_line(json, line);
  print(json.end_array().end_object().text() + "\n");
}

// 1234567.8 as "1,234,568", with one more digit when wanted.
std::string grouped(double value, int decimals) {
  const std::string text = formatted("%.*f", decimals, value);
  const std::size_t point = std::min(text.find('.'), text.size());
  return thousands(std::strtoull(text.substr(0, point).c_str(), nullptr, 10)) + text.substr(point);
}

void print_as_text(const std::vector<Line>& lines) {
  const Line& first = lines.front();
  print(cpu_name() + ", " + first.isa + ", mobilebert_rt " MBRT_VERSION "\n");
  if (first.tokenize_ms) {
    print(formatted("tokenisation: %.3f ms a text, not part of the calls\n", *first.tokenize_ms));
  }
  if (!first.peak_is_of_line) {
    print("peak MB is that of the process so far, not of the line\n");
  }
  std::vector<std::vector<std::string>> rows{{"precision", "threads", "batch", "tokens", "p50 ms",
                                              "p90 ms", "p99 ms", "tokens/s", "load ms", "first ms",
                                              "peak MB"}};
  for (const Line& line : lines) {
    rows.push_back(
        {line.precision, std::to_string(line.threads), std::to_string(line.batch_size),
         thousands(line.tokens), formatted("%.3f", line.ms.p50), formatted("%.3f", line.ms.p90),
         formatted("%.3f", line.ms.p99), grouped(line.per_second(line.tokens), 0),
         formatted("%.1f", line.load_ms), formatted("%.1f", line.first_call_ms),
         line.peak_bytes ? grouped(static_cast<double>(*line.peak_bytes) / 1e6, 1) : "-"});
  }
  print(table(rows));
}

void run(const Arguments& arguments) {
  const Plan plan = plan_of(arguments);
  const std::size_t cases =
      plan.batch_sizes.size() * (arguments.has("--text") ? 1 : plan.lengths.size());
  std::vector<Line> lines;
  Progress progress(plan.threads.size() * cases, "lines", arguments.has("--quiet"));
  for (const std::size_t threads : plan.threads) {
    measure(arguments, plan, threads, progress, &lines);
  }
  progress.clear();
  arguments.has("--json") ? print_as_json(plan, lines) : print_as_text(lines);
}

}  // namespace

const Command kBench{
    "bench", "measure latency, throughput, load time and memory",
    "Measure latency, throughput, load time and memory, over lists of lengths, batch sizes and "
    "threads.\n\nEach line is one combination: p50, p90 and p99 of a call in milliseconds, tokens "
    "a second (by the\nmean call), and the process's peak memory while it ran. Load time and the "
    "first call are measured\nonce for each thread count. Sequences are random ids of the given "
    "lengths, or the lines of --text\n(then tokenisation is timed too).",
    configure, run};

}  // namespace mbrt::tools
