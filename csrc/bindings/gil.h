// The GIL, released and acquired. In a daemon thread, acquiring it while the interpreter exits never
// returns. Python before 3.14 calls pthread_exit there, and glibc unwinds the stack, which ends the process
// at the first noexcept function; later the thread's state is freed memory. Here such a thread sleeps
// until the process ends, as with Python 3.14.
#ifndef MBRT_BINDINGS_GIL_H_
#define MBRT_BINDINGS_GIL_H_

#include <pybind11/pybind11.h>

#include "base/call_or_sleep.h"

namespace mbrt::bindings {

// Also while the interpreter exits: the thread that ends it deletes the modules' objects, when Py_IsInitialized is
// already 0. Without a state of the thread, PyGILState_Check says 1.
inline bool this_thread_has_gil() {
  return PyGILState_Check() != 0 && PyGILState_GetThisThreadState() != nullptr;
}

inline void acquire_or_sleep(void (*acquire)(void*), void* state) {
  if (Py_IsInitialized() == 0 && !this_thread_has_gil()) sleep_forever();
  call_or_sleep(acquire, state);
}

class ReleasedGil {
 public:
  ReleasedGil() : state_(PyEval_SaveThread()) {}
  ~ReleasedGil() {
    acquire_or_sleep([](void* s) { PyEval_RestoreThread(static_cast<PyThreadState*>(s)); }, state_);
  }
  ReleasedGil(const ReleasedGil&) = delete;
  ReleasedGil& operator=(const ReleasedGil&) = delete;

 private:
  PyThreadState* const state_;
};

class AcquiredGil {
 public:
  AcquiredGil() {
    acquire_or_sleep([](void* s) { *static_cast<PyGILState_STATE*>(s) = PyGILState_Ensure(); },
                     &state_);
  }
  ~AcquiredGil() { PyGILState_Release(state_); }
  AcquiredGil(const AcquiredGil&) = delete;
  AcquiredGil& operator=(const AcquiredGil&) = delete;

 private:
  PyGILState_STATE state_;
};

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_GIL_H_
