// Model and CancelToken. mobilebert_rt/model.py is the public API on top of them.
#include "bindings/model.h"

#include <cmath>
#include <vector>

#include "base/error.h"

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

CallControl call_control(std::optional<double> timeout, const CancelToken* cancel) {
  const double seconds = timeout.value_or(INFINITY);
  if (std::isnan(seconds)) throw InputError("timeout: found NaN; give seconds, or None.");
  return {.cancelled = cancel == nullptr ? nullptr : &cancel->cancelled,
          .deadline = deadline_in(seconds)};
}

namespace {

Model open_path(const std::string& path, const std::optional<std::string>& isa) {
  const KernelSet& kernels = kernel_set(isa);
  py::gil_scoped_release release;
  return {std::make_shared<const Encoder>(ModelFile::open(path), kernels)};
}

Model open_image(const py::buffer& image, const std::optional<std::string>& isa) {
  const KernelSet& kernels = kernel_set(isa);
  // The buffer stays exported, and so alive and unmoved, for as long as the model file does.
  auto* info = new py::buffer_info(image.request());
  std::shared_ptr<void> owner(info, [](py::buffer_info* held) {
    py::gil_scoped_acquire acquire;
    delete held;
  });
  const std::size_t size = static_cast<std::size_t>(info->size * info->itemsize);
  py::gil_scoped_release release;
  return {std::make_shared<const Encoder>(ModelFile::from_memory(info->ptr, size, std::move(owner)),
                                          kernels)};
}

py::dict run(const Model& model, const Input<std::int32_t>& ids, const Input<std::int64_t>& lengths,
             const std::optional<Input<std::int32_t>>& types,
             const std::optional<Input<std::uint8_t>>& key_mask,
             const std::optional<Input<std::uint8_t>>& pair_mask,
             std::optional<std::size_t> padded_length, bool hidden_states, bool attentions,
             bool logits, const std::optional<Positions>& logit_positions,
             std::optional<double> timeout, const CancelToken* cancel, std::size_t num_threads,
             Profile* profile) {
  const std::vector<std::size_t> offsets =
      offsets_of(lengths, static_cast<std::size_t>(ids.size()));
  Batch batch;
  batch.sequences = offsets.size() - 1;
  batch.offsets = offsets.data();
  batch.ids = ids.data();
  batch.types = pointer_to(types, batch.tokens(), "token_type_ids");
  batch.key_mask = pointer_to(key_mask, batch.tokens(), "attention_mask");
  batch.pair_mask = pointer_to(pair_mask, batch.pairs_before(batch.sequences), "attention_mask");
  const CallControl control = call_control(timeout, cancel);
  const CallArrays arrays(model.encoder->shapes(), batch,
                          {.hidden_states = hidden_states,
                           .attentions = attentions,
                           .logits = logits,
                           .logit_positions = logit_positions});
  {
    py::gil_scoped_release release;
    model.encoder->run(batch, arrays.outputs(), control, num_threads, profile);
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

  py::class_<Model>(module, "Model")
      // Before the path: std::string accepts bytes too.
      .def(py::init(&open_image), "image"_a, "isa"_a = py::none())
      .def(py::init(&open_path), "path"_a, "isa"_a = py::none())
      .def("run", &run, "ids"_a, "lengths"_a, py::kw_only(), "types"_a = py::none(),
           "key_mask"_a = py::none(), "pair_mask"_a = py::none(), "padded_length"_a = py::none(),
           "hidden_states"_a = false, "attentions"_a = false, "logits"_a = true,
           "logit_positions"_a = py::none(), "timeout"_a = py::none(), "cancel"_a = py::none(),
           "num_threads"_a = 1, "profile"_a = py::none())
      .def("trim", [](const Model& m) { return m.encoder->trim(); })
      .def_property_readonly("workspace_bytes",
                             [](const Model& m) { return m.encoder->workspace_bytes(); })
      .def_property_readonly("file_bytes", [](const Model& m) { return m.encoder->file().bytes(); })
      .def_property_readonly("isa", [](const Model& m) { return m.encoder->kernels().isa; })
      .def_property_readonly("metadata", &metadata_of)
      .def("tensors", &tensors_of);
}

}  // namespace mbrt::bindings
