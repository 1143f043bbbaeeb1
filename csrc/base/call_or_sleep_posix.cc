// pthread_exit runs the thread's cleanup handlers. This file is compiled without exceptions: in C++ with them, glibc's
// handlers are destructors that libgcc unwinds to, which no other library for exceptions understands. Without them they are
// reached by longjmp.
#include <pthread.h>
#include <unistd.h>

#include "base/call_or_sleep.h"

namespace mbrt {

void sleep_forever() {
  for (;;) sleep(3600);
}

void call_or_sleep(void (*function)(void*), void* argument) {
  pthread_cleanup_push([](void*) { sleep_forever(); }, nullptr);
  function(argument);
  pthread_cleanup_pop(0);
}

}  // namespace mbrt
