// The GIL, released and acquired. In a daemon thread, acquiring it while the interpreter exits never
// returns. Python before 3.14 calls pthread_exit there, and glibc unwinds the stack by an exception that
// aborts the process at the first noexcept function; later the thread's state is freed memory. Here such a
// thread sleeps until the process ends, as with Python 3.14.
#ifndef MBRT_BINDINGS_GIL_H_
#define MBRT_BINDINGS_GIL_H_

#include <pybind11/pybind11.h>

#include <chrono>
#include <thread>

namespace mbrt::bindings {

// Also while the interpreter exits: the thread that ends it deletes the modules' objects, when Py_IsInitialized is
// already 0. Without a state of the thread, PyGILState_Check says 1.
inline bool this_thread_has_gil() {
  return PyGILState_Check() != 0 && PyGILState_GetThisThreadState() != nullptr;
}

template <typename Acquire>
auto acquired_or_asleep(const Acquire& acquire) noexcept {
  try {
    if (Py_IsInitialized() != 0 || this_thread_has_gil()) return acquire();
  } catch (...) {  // only the unwinding of pthread_exit; a handler that ends would abort
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

class ReleasedGil {
 public:
  ReleasedGil() : state_(PyEval_SaveThread()) {}
  ~ReleasedGil() {
    acquired_or_asleep([this] { PyEval_RestoreThread(state_); });
  }
  ReleasedGil(const ReleasedGil&) = delete;
  ReleasedGil& operator=(const ReleasedGil&) = delete;

 private:
  PyThreadState* const state_;
};

class AcquiredGil {
 public:
  AcquiredGil() : state_(acquired_or_asleep([] { return PyGILState_Ensure(); })) {}
  ~AcquiredGil() { PyGILState_Release(state_); }
  AcquiredGil(const AcquiredGil&) = delete;
  AcquiredGil& operator=(const AcquiredGil&) = delete;

 private:
  const PyGILState_STATE state_;
};

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_GIL_H_
