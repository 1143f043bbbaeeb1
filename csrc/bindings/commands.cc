// The commands of csrc/tools, with models and tokenizers of the Python package.
#include "tools/commands.h"

#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"
#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/model.h"
#include "bindings/python_tokenizer.h"
#include "tools/wording.h"

namespace mbrt::bindings {
namespace py = pybind11;
using namespace py::literals;
namespace {

// From str, and dict of them.
tools::Json as_json(const py::handle& value) {
  if (!py::isinstance<py::dict>(value)) return value.cast<std::string>();
  tools::Json::Object members;
  for (const auto& [key, member] : py::reinterpret_borrow<py::dict>(value)) {
    members.emplace_back(key.cast<std::string>(), as_json(member));
  }
  return members;
}

tools::Program program_of(const py::function& load, const py::function& facts) {
  return {
      .load =
          [&load](const tools::ModelRequest& request) {
            const AcquiredGil acquire;
            const py::object model = load(py::bytes(request.path), request.precision, request.isa);
            return model.cast<const Model&>().encoder;
          },
      .other_tokenizer = read_with_library,
      .facts =
          [&facts] {
            const AcquiredGil acquire;
            return std::get<tools::Json::Object>(as_json(facts()).value);
          },
  };
}

const tools::Command& command_of(const std::string& name) {
  for (const tools::Command* command : tools::kCommands) {
    if (name == command->name) return *command;
  }
  throw InputError(name + ": no such command.");
}

void run(const std::string& name, const std::vector<std::string>& words, const py::function& load,
         const py::function& facts) {
  const tools::Command& command = command_of(name);
  const tools::Program program = program_of(load, facts);
  try {
    const ReleasedGil release;
    const InterruptWatch watch;
    tools::run_command(command, words, program);
  } catch (const tools::UsageError& error) {
    const py::object type = py::module_::import("mobilebert_rt.cli").attr("UsageError");
    PyErr_SetObject(type.ptr(), readable(error.what()).ptr());
    throw py::error_already_set();
  } catch (const tools::BrokenPipe&) {
    PyErr_SetNone(PyExc_BrokenPipeError);
    throw py::error_already_set();
  } catch (const CancelledError&) {
    // Python has seen Ctrl-C too: its KeyboardInterrupt is raised here, not later.
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    throw;
  }
}

}  // namespace

void bind_commands(py::module_& module) {
  py::dict summaries;
  for (const tools::Command* command : tools::kCommands) {
    summaries[command->name] = command->summary;
  }
  module.attr("commands") = summaries;
  module.def("on_command_line", &tools::on_command_line, "message"_a);
  module.def("overview", &tools::overview, "others"_a, "examples"_a);
  module.def("run_command", &run, "name"_a, "words"_a, "load"_a, "facts"_a);
}

}  // namespace mbrt::bindings
