// mobilebert_rt._core: the extension module.
#include "base/cpu_count.h"
#include "bindings/bindings.h"
#include "kernels/kernels.h"

namespace py = pybind11;

// Without the GIL too: objects of Python are used by the thread that was given them, and what threads share is
// immutable, atomic, or locked in the C++ code, which has always run without it.
PYBIND11_MODULE(_core, module, py::mod_gil_not_used()) {
  module.doc() = "The native engine of mobilebert_rt. Use the mobilebert_rt package instead.";
  module.attr("__version__") = MBRT_VERSION;
  mbrt::bindings::bind_errors();
  mbrt::bindings::bind_model(module);
  mbrt::bindings::bind_profile(module);
  mbrt::bindings::bind_kernels(module);
  pybind11::module_ tasks = module.def_submodule("tasks");
  mbrt::bindings::bind_tokenizer(tasks);
  mbrt::bindings::bind_tasks(tasks);
  mbrt::bindings::bind_commands(module);

  module.def("available_isas", [] {
    py::list names;
    for (const mbrt::KernelSet* set : mbrt::available_kernel_sets()) names.append(set->isa);
    return names;
  });
  module.def("compiled_isas", [] {
    py::list names;
    for (const mbrt::KernelSet* set : mbrt::compiled_kernel_sets()) names.append(set->isa);
    return names;
  });
  module.def("active_isa", [] { return mbrt::default_kernel_set().isa; });
  module.def("default_thread_count", &mbrt::default_thread_count);
  module.def("usable_cores", &mbrt::usable_cores);
}
