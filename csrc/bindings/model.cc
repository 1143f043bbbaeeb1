// Model and CancelToken: the engine as Python sees it. Arrays are packed; mobilebert_rt/model.py is
// the face for people.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cpu_count.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "bindings/bindings.h"
#include "engine/encoder.h"

namespace mbrt::bindings {
namespace py = pybind11;
using namespace py::literals;

namespace {

using Floats = py::array_t<float>;
template <typename T>
using Input = py::array_t<T, py::array::c_style>;

struct CancelToken {
  std::atomic<bool> cancelled{false};
};

const KernelSet& choose_kernels(const std::optional<std::string>& isa) {
  return isa ? kernel_set(*isa) : default_kernel_set();
}

Floats new_array(std::vector<std::size_t> shape) {
  std::size_t bytes = sizeof(float);
  for (const std::size_t n : shape) {
    if (__builtin_mul_overflow(bytes, n, &bytes)) throw InputError("the result is too large");
  }
  return Floats(std::move(shape));
}

template <typename T>
const T* pointer_to(const std::optional<Input<T>>& array, std::size_t size, const char* name) {
  if (!array) return nullptr;
  if (static_cast<std::size_t>(array->size()) != size) {
    throw InputError(std::string(name) + " holds " + std::to_string(array->size()) +
                     " values, the batch needs " + std::to_string(size));
  }
  return array->data();
}

// So many seconds from now; none when they are more than the clock can count.
std::optional<std::chrono::steady_clock::time_point> deadline_after(double seconds) {
  using std::chrono::steady_clock;
  if (std::isnan(seconds)) throw InputError("timeout is not a number; give seconds, or nothing");
  constexpr double kForever = 1e9;  // thirty years
  if (seconds >= kForever) return std::nullopt;
  const std::chrono::duration<double> wait(std::max(seconds, 0.0));
  return steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(wait);
}

class Model {
 public:
  Model(const std::string& path, const std::optional<std::string>& isa) {
    const KernelSet& kernels = choose_kernels(isa);
    py::gil_scoped_release release;
    encoder_ = std::make_unique<Encoder>(ModelFile::open(path), kernels);
  }

  Model(const py::buffer& image, const std::optional<std::string>& isa) {
    const KernelSet& kernels = choose_kernels(isa);
    // The buffer stays exported, and so alive and unmoved, for as long as the model file does.
    auto* info = new py::buffer_info(image.request());
    std::shared_ptr<void> owner(info, [](py::buffer_info* held) {
      py::gil_scoped_acquire acquire;
      delete held;
    });
    const std::size_t size = static_cast<std::size_t>(info->size * info->itemsize);
    py::gil_scoped_release release;
    encoder_ = std::make_unique<Encoder>(ModelFile::from_memory(info->ptr, size, std::move(owner)),
                                         kernels);
  }

  py::dict run(const Input<std::int32_t>& ids, const Input<std::int64_t>& lengths,
               const std::optional<Input<std::int32_t>>& types,
               const std::optional<Input<std::uint8_t>>& key_mask,
               const std::optional<Input<std::uint8_t>>& pair_mask, bool hidden_states,
               bool attentions, bool logits, const std::optional<Input<std::int64_t>>& logit_tokens,
               std::optional<double> timeout, const CancelToken* cancel, std::size_t num_threads,
               Profile* profile) const {
    const std::vector<std::size_t> offsets =
        offsets_of(lengths, static_cast<std::size_t>(ids.size()));
    std::size_t squares = 0;
    for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
      const std::size_t length = offsets[b + 1] - offsets[b];
      squares += length * length;
    }
    Batch batch;
    batch.sequences = offsets.size() - 1;
    batch.offsets = offsets.data();
    batch.ids = ids.data();
    batch.types = pointer_to(types, batch.tokens(), "token_type_ids");
    batch.key_mask = pointer_to(key_mask, batch.tokens(), "the attention mask");
    batch.pair_mask = pointer_to(pair_mask, squares, "the attention mask");

    const std::vector<std::size_t> wanted = wanted_tokens(logit_tokens, batch.tokens());
    Outputs outputs;
    if (logit_tokens) {
      outputs.logit_tokens = wanted.data();
      outputs.logit_token_count = wanted.size();
    }
    py::dict result = allocate(batch, squares, hidden_states, attentions, logits, outputs);

    CallControl control;
    if (cancel != nullptr) control.cancelled = &cancel->cancelled;
    if (timeout) control.deadline = deadline_after(*timeout);
    py::gil_scoped_release release;
    encoder_->run(batch, outputs, control, num_threads, profile);
    return result;
  }

  const Encoder& encoder() const { return *encoder_; }

 private:
  static std::vector<std::size_t> offsets_of(const Input<std::int64_t>& lengths,
                                             std::size_t tokens) {
    std::vector<std::size_t> offsets{0};
    offsets.reserve(static_cast<std::size_t>(lengths.size()) + 1);
    for (py::ssize_t b = 0; b < lengths.size(); ++b) {
      const std::int64_t length = lengths.data()[b];
      if (length < 0 || static_cast<std::size_t>(length) > tokens - offsets.back()) {
        throw InputError("the lengths of the sequences do not add up to the number of token ids");
      }
      offsets.push_back(offsets.back() + static_cast<std::size_t>(length));
    }
    if (offsets.back() != tokens) {
      throw InputError("the lengths of the sequences do not add up to the number of token ids");
    }
    return offsets;
  }

  static std::vector<std::size_t> wanted_tokens(const std::optional<Input<std::int64_t>>& tokens,
                                                std::size_t limit) {
    std::vector<std::size_t> wanted;
    if (!tokens) return wanted;
    // At least one, for data() of a vector without memory is null, and that asks for every token.
    wanted.reserve(static_cast<std::size_t>(tokens->size()) + 1);
    for (py::ssize_t i = 0; i < tokens->size(); ++i) {
      const std::int64_t token = tokens->data()[i];
      const bool ascends = wanted.empty() || token > static_cast<std::int64_t>(wanted.back());
      if (token < 0 || static_cast<std::size_t>(token) >= limit || !ascends) {
        throw InputError("logit positions must ascend and lie inside their sequences");
      }
      wanted.push_back(static_cast<std::size_t>(token));
    }
    return wanted;
  }

  // The arrays that the call fills, widths padded to 16; the caller cuts the padding off.
  py::dict allocate(const Batch& batch, std::size_t squares, bool hidden_states, bool attentions,
                    bool logits, Outputs& outputs) const {
    const ModelConfig& config = encoder_->config();
    const std::size_t tokens = batch.tokens();
    const std::size_t hidden = encoder_->widths().hidden;
    py::dict result;
    const auto add = [&](const char* name, std::vector<std::size_t> shape) {
      Floats array = new_array(std::move(shape));
      result[name] = array;
      return array.mutable_data();
    };
    outputs.last_hidden_state = add("last_hidden_state", {tokens, hidden});
    if (hidden_states) {
      outputs.hidden_states = add("hidden_states", {config.num_layers + 1, tokens, hidden});
    }
    if (attentions) {
      outputs.attentions = add("attentions", {squares * config.num_layers * config.num_heads});
    }
    if (config.pooler != Pooler::kNone) {
      outputs.pooled = add("pooler_output", {batch.sequences, hidden});
    }
    const Heads& heads = encoder_->heads();
    if (logits && heads.logits_width() > 0) {
      std::size_t rows = heads.logits_are_per_token() ? tokens : batch.sequences;
      if (outputs.logit_tokens != nullptr) rows = outputs.logit_token_count;
      outputs.logits = add("logits", {rows, heads.logits_width()});
    }
    if (config.head == Head::kPretraining) {
      outputs.next_sentence = add("seq_relationship_logits", {batch.sequences, kLanes});
    }
    return result;
  }

  std::unique_ptr<Encoder> encoder_;
};

std::unique_ptr<Profile> make_profile(const Model& model, std::size_t threads) {
  if (threads < 1 || threads > kMaxThreads) {
    throw InputError("a profile is for 1 to " + std::to_string(kMaxThreads) + " threads");
  }
  return std::make_unique<Profile>(model.encoder().config().num_layers, threads);
}

// [threads][stages][operations][5]: the fields of Total.
py::array_t<std::uint64_t> totals_of(const Profile& profile) {
  profile.check_idle();
  py::array_t<std::uint64_t> result(
      std::vector<std::size_t>{profile.threads(), profile.stages(), kOperations, 5});
  std::uint64_t* to = result.mutable_data();
  for (std::size_t thread = 0; thread < profile.threads(); ++thread) {
    for (std::size_t stage = 0; stage < profile.stages(); ++stage) {
      for (std::size_t operation = 0; operation < kOperations; ++operation, to += 5) {
        const Total& total = profile.lane(thread).total(stage, operation);
        to[0] = total.calls;
        to[1] = total.nanoseconds;
        to[2] = total.macs_s8;
        to[3] = total.macs_f32;
        to[4] = total.weight_bytes;
      }
    }
  }
  return result;
}

// [events][5] of one thread: begin, end, stage, operation, rows.
py::array_t<std::uint64_t> events_of(const Profile& profile, std::size_t thread) {
  profile.check_idle();
  if (thread >= profile.threads()) throw InputError("the profile has no such thread");
  const Lane& lane = profile.lane(thread);
  py::array_t<std::uint64_t> result(std::vector<std::size_t>{lane.event_count(), 5});
  std::uint64_t* to = result.mutable_data();
  for (std::size_t i = 0; i < lane.event_count(); ++i, to += 5) {
    const Event& event = lane.events()[i];
    to[0] = event.begin;
    to[1] = event.end;
    to[2] = event.spot.stage;
    to[3] = static_cast<std::uint64_t>(event.spot.operation);
    to[4] = event.rows;
  }
  return result;
}

std::size_t dropped_of(const Profile& profile) {
  profile.check_idle();
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < profile.threads(); ++i) dropped += profile.lane(i).dropped_events();
  return dropped;
}

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kOperations; ++i) names.push_back(operation_name(i));
  return names;
}

py::list tensors_of(const Model& model) {
  py::list list;
  for (const TensorInfo& tensor : model.encoder().file().tensors()) {
    list.append(py::make_tuple(tensor.name, tensor.dtype, py::cast(tensor.shape),
                               tensor.end - tensor.begin));
  }
  return list;
}

}  // namespace

void bind_model(py::module_& module) {
  py::class_<CancelToken>(module, "CancelToken",
                          "Stops the calls that were given it, within one layer's time.")
      .def(py::init<>())
      .def("cancel", [](CancelToken& token) { token.cancelled = true; })
      .def_property_readonly("cancelled", [](const CancelToken& t) { return t.cancelled.load(); });

  py::class_<Model>(module, "Model")
      // Before the path: std::string would take bytes for one.
      .def(py::init<const py::buffer&, const std::optional<std::string>&>(), "image"_a,
           "isa"_a = py::none())
      .def(py::init<const std::string&, const std::optional<std::string>&>(), "path"_a,
           "isa"_a = py::none())
      .def("run", &Model::run, "ids"_a, "lengths"_a, py::kw_only(), "types"_a = py::none(),
           "key_mask"_a = py::none(), "pair_mask"_a = py::none(), "hidden_states"_a = false,
           "attentions"_a = false, "logits"_a = true, "logit_tokens"_a = py::none(),
           "timeout"_a = py::none(), "cancel"_a = py::none(), "num_threads"_a = 1,
           "profile"_a = py::none())
      .def("trim", [](const Model& m) { return m.encoder().trim(); })
      .def_property_readonly("workspace_bytes",
                             [](const Model& m) { return m.encoder().workspace_bytes(); })
      .def_property_readonly("file_bytes",
                             [](const Model& m) { return m.encoder().file().bytes(); })
      .def_property_readonly("isa", [](const Model& m) { return m.encoder().kernels().isa; })
      .def_property_readonly("metadata",
                             [](const Model& m) {
                               py::dict metadata;
                               for (const auto& [key, value] : m.encoder().file().metadata()) {
                                 metadata[py::str(key)] = py::str(value);
                               }
                               return metadata;
                             })
      .def("tensors", &tensors_of);

  py::class_<Profile>(module, "Profile", "Room for the times of one call; each call overwrites it.")
      .def(py::init(&make_profile), "model"_a, "num_threads"_a = 1)
      .def("totals", &totals_of)
      .def("events", &events_of, "thread"_a)
      .def_property_readonly("nanoseconds",
                             [](const Profile& profile) {
                               profile.check_idle();
                               return profile.nanoseconds();
                             })
      .def_property_readonly("dropped_events", &dropped_of);
  module.def("operation_names", &operation_names, "Of the third axis of Profile.totals().");
}

}  // namespace mbrt::bindings
