// The errors of the library. Messages: `where: what was found; what was expected. How to fix it.`
#ifndef MBRT_BASE_ERROR_H_
#define MBRT_BASE_ERROR_H_

#include <stdexcept>
#include <string>

namespace mbrt {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A model file that is damaged, inconsistent or of another format.
class ModelFormatError : public Error {
 public:
  using Error::Error;
};

// A well-formed model that needs something this engine does not support.
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
