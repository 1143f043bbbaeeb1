// The parts of the extension module. Thin on purpose: arguments are checked and handed on, nothing
// is computed here.
#ifndef MBRT_BINDINGS_BINDINGS_H_
#define MBRT_BINDINGS_BINDINGS_H_

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <string_view>

namespace mbrt::bindings {

// A message or path of any bytes as a str: what is not UTF-8 is escaped.
pybind11::str readable(std::string_view bytes);
// The bytes of a path as the file system has them, whatever the locale.
std::string path_bytes(const pybind11::object& path);

void bind_errors();
void bind_model(pybind11::module_& module);
void bind_profile(pybind11::module_& module);
void bind_kernels(pybind11::module_& module);
void bind_tokenizer(pybind11::module_& module);
void bind_tasks(pybind11::module_& module);
void bind_commands(pybind11::module_& module);

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_BINDINGS_H_
