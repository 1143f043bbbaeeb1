// The named errors of the library. Each message says what is wrong, where, and how to mend it.
#ifndef MBRT_BASE_ERROR_H_
#define MBRT_BASE_ERROR_H_

#include <stdexcept>
#include <string>

namespace mbrt {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A model file that is damaged, inconsistent or not ours.
class ModelFormatError : public Error {
 public:
  using Error::Error;
};

// A well-formed model that asks for something this engine does not do.
class UnsupportedModelError : public Error {
 public:
  using Error::Error;
};

// A wrong argument: token ids, masks, sizes, names.
class InputError : public Error {
 public:
  using Error::Error;
};

// The caller cancelled the call.
class CancelledError : public Error {
 public:
  using Error::Error;
};

// The call's deadline passed.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

}  // namespace mbrt

#endif  // MBRT_BASE_ERROR_H_
