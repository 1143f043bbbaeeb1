// ExitThread runs nothing of the thread's stack: a thread that ends harms nothing.
#include <windows.h>

#include "base/call_or_sleep.h"

namespace mbrt {

void sleep_forever() {
  for (;;) Sleep(INFINITE);
}

void call_or_sleep(void (*function)(void*), void* argument) { function(argument); }

}  // namespace mbrt
