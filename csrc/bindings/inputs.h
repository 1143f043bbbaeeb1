// Texts from Python.
#ifndef MBRT_BINDINGS_INPUTS_H_
#define MBRT_BINDINGS_INPUTS_H_

#include <pybind11/pybind11.h>

#include <cstddef>
#include <vector>

#include "text/tokenizer.h"

namespace mbrt::bindings {

// UTF-8 views of Python strings, without a copy; valid while this object lives.
class Inputs {
 public:
  // texts: each a str or a pair of them as a tuple. InputError for anything else and for lone
  // surrogates; first_index: the number of the first text in its message.
  Inputs(pybind11::tuple texts, std::size_t first_index);

  const std::vector<text::Text>& texts() const { return views_; }

 private:
  pybind11::tuple texts_;  // immutable, unlike a list: no other thread can free a string
  std::vector<text::Text> views_;
};

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_INPUTS_H_
