// Model and CancelToken. mobilebert_rt/model.py is the public API on top of them.
#include "bindings/model.h"

#include <cmath>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "bindings/gil.h"
#include "model/foreign_file.h"

namespace mbrt::bindings {
namespace py = pybind11;
using namespace py::literals;

namespace {

template <typename T>
using Input = py::array_t<T, py::array::c_style>;

template <typename T>
const T* pointer_to(const std::optional<Input<T>>& array, std::size_t size, const char* name) {
  if (!array) return nullptr;
  if (static_cast<std::size_t>(array->size()) != size) {
    throw InputError(std::string(name) + ": " + std::to_string(array->size()) +
                     " values; the batch needs " + std::to_string(size) + ".");
  }
  return array->data();
}

std::vector<std::size_t> offsets_of(const Input<std::int64_t>& lengths, std::size_t tokens) {
  std::vector<std::size_t> offsets{0};
  offsets.reserve(static_cast<std::size_t>(lengths.size()) + 1);
  for (py::ssize_t b = 0; b < lengths.size(); ++b) {
    const std::int64_t length = lengths.data()[b];
    if (length < 0 || static_cast<std::size_t>(length) > tokens - offsets.back()) break;
    offsets.push_back(offsets.back() + static_cast<std::size_t>(length));
  }
  if (offsets.size() != static_cast<std::size_t>(lengths.size()) + 1 || offsets.back() != tokens) {
    throw InputError("lengths: their sum is not the number of token ids, " +
                     std::to_string(tokens) + "; give the length of each sequence.");
  }
  return offsets;
}

py::list tensors_of(const Model& model) {
  py::list list;
  for (const TensorInfo& tensor : model.encoder->file().tensors()) {
    list.append(py::make_tuple(tensor.name, tensor.dtype, py::cast(tensor.shape),
                               tensor.end - tensor.begin));
  }
  return list;
}

py::dict metadata_of(const Model& model) {
  py::dict metadata;
  for (const auto& [key, value] : model.encoder->file().metadata()) {
    metadata[py::str(key)] = py::str(value);
  }
  return metadata;
}

}  // namespace

CallControl take_control(Keywords& keywords) {
  const auto seconds = keywords.take_number("timeout", 0, "a number of seconds, 0 or more");
  const auto cancel = keywords.take_as<const CancelToken*>("cancel", "a CancelToken");
  return {.cancelled = cancel ? &(*cancel)->cancelled : nullptr,
          .deadline = deadline_in(seconds.value_or(INFINITY))};
}

namespace {

Model open_path(const py::object& given, const std::optional<std::string>& isa) {
  const KernelSet& kernels = kernel_set(isa);
  const std::string path = path_bytes(given);
  const ReleasedGil release;
  return {std::make_shared<const Encoder>(ModelFile::open(path), kernels)};
}

Model open_image(const py::buffer& image, const std::optional<std::string>& isa) {
  const KernelSet& kernels = kernel_set(isa);
  // The buffer stays exported, and so alive and unmoved, for as long as the model file does.
  auto* info = new py::buffer_info(image.request());
  std::shared_ptr<void> owner(info, [](py::buffer_info* held) {
    const AcquiredGil acquire;
    delete held;
  });
  const std::size_t size = static_cast<std::size_t>(info->size * info->itemsize);
  const ReleasedGil release;
  return {std::make_shared<const Encoder>(ModelFile::from_memory(info->ptr, size, std::move(owner)),
                                          kernels)};
}

// (name, fix) of the format of a file that is no model; None when it is not known. file: bytes.
std::optional<std::pair<std::string, std::string>> known_format(std::string_view file) {
  const ForeignFile* const found = foreign_file(file);
  if (found == nullptr) return std::nullopt;
  return std::pair<std::string, std::string>(found->name, found->fix);
}

py::dict run(const Model& model, const Input<std::int32_t>& ids, const Input<std::int64_t>& lengths,
             const py::kwargs& given) {
  Keywords keywords(given);
  const auto types = keywords.take_as<Input<std::int32_t>>("types", "an int32 array");
  const auto key_mask = keywords.take_as<Input<std::uint8_t>>("key_mask", "a uint8 array");
  const auto pair_mask = keywords.take_as<Input<std::uint8_t>>("pair_mask", "a uint8 array");
  const std::vector<std::size_t> offsets =
      offsets_of(lengths, static_cast<std::size_t>(ids.size()));
  Batch batch;
  batch.sequences = offsets.size() - 1;
  batch.offsets = offsets.data();
  batch.ids = ids.data();
  batch.types = pointer_to(types, batch.tokens(), "token_type_ids");
  batch.key_mask = pointer_to(key_mask, batch.tokens(), "attention_mask");
  batch.pair_mask = pointer_to(pair_mask, batch.pairs_before(batch.sequences), "attention_mask");
  const auto positions =
      keywords.take_as<Positions>("logit_positions", "a list of lists of whole numbers");
  const CallArrays arrays(
      model.encoder->shapes(), batch,
      {.hidden_states = keywords.take_flag("hidden_states", "output_hidden_states").value_or(false),
       .attentions = keywords.take_flag("attentions", "output_attentions").value_or(false),
       .logits = keywords.take_flag("logits", "output_logits").value_or(true),
       .logit_positions = positions});
  const auto padded_length = keywords.take_size("padded_length", 1);
  const std::size_t threads = keywords.take_size("num_threads", 1).value_or(1);
  Profile* const profile = keywords.take_as<Profile*>("profile", "a Profile").value_or(nullptr);
  const auto sharing = keywords.take_as<Sharing>("sharing", "a Sharing");
  const CallControl control = take_control(keywords);
  keywords.finish();
  {
    const ReleasedGil release;
    model.encoder->run(batch, arrays.outputs(), control, threads, profile, sharing);
  }
  return arrays.layout(padded_length);
}

}  // namespace

void bind_model(py::module_& module) {
  py::class_<CancelToken>(module, "CancelToken",
                          "Stops the calls that were given it, within one layer's time.")
      .def(py::init<>())
      .def("cancel", [](CancelToken& token) { token.cancelled = true; })
      .def_property_readonly("cancelled", [](const CancelToken& t) { return t.cancelled.load(); });

  py::enum_<Sharing>(module, "Sharing")
      .value("NONE", Sharing::kNone)
      .value("ROWS", Sharing::kRows)
      .value("COLUMNS", Sharing::kColumns);

  py::class_<Model>(module, "Model")
      // Before the path, which takes any object.
      .def(py::init(&open_image), "image"_a, "isa"_a = py::none())
      .def(py::init(&open_path), "path"_a, "isa"_a = py::none())
      .def("run", &run, "ids"_a, "lengths"_a)
      .def("trim", [](const Model& m) { return m.encoder->trim(); })
      .def_property_readonly("workspace_bytes",
                             [](const Model& m) { return m.encoder->workspace_bytes(); })
      .def_property_readonly("file_bytes", [](const Model& m) { return m.encoder->file().bytes(); })
      .def_property_readonly("isa", [](const Model& m) { return m.encoder->kernels().isa; })
      .def_property_readonly("metadata", &metadata_of)
      .def("tensors", &tensors_of);
  module.def("foreign_file", &known_format, "file"_a);
}

}  // namespace mbrt::bindings
