// C++ errors become the classes of mobilebert_rt.errors, message and all.
#include <exception>

#include "base/error.h"
#include "bindings/bindings.h"

namespace mbrt::bindings {
namespace py = pybind11;

namespace {

void raise(const char* name, const std::exception& error) {
  py::object type = py::module_::import("mobilebert_rt.errors").attr(name);
  PyErr_SetObject(type.ptr(), readable(error.what()).ptr());
}

}  // namespace

py::str readable(std::string_view bytes) {
  return py::reinterpret_steal<py::str>(PyUnicode_DecodeUTF8(
      bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "backslashreplace"));
}

std::string path_bytes(const py::object& path) {
  return py::module_::import("os").attr("fsencode")(path).cast<std::string>();
}

void bind_errors() {
  py::register_local_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const ModelFormatError& e) {
      raise("ModelFormatError", e);
    } catch (const UnsupportedModelError& e) {
      raise("UnsupportedModelError", e);
    } catch (const InputError& e) {
      raise("InputError", e);
    } catch (const CancelledError& e) {
      raise("CancelledError", e);
    } catch (const TimeoutError& e) {
      raise("TimeoutError", e);
    } catch (const Error& e) {
      raise("MobileBertError", e);
    }
  });
}

}  // namespace mbrt::bindings
