// Calls a function that may end its thread. Such a thread sleeps instead until the process ends.
#ifndef MBRT_BASE_CALL_OR_SLEEP_H_
#define MBRT_BASE_CALL_OR_SLEEP_H_

namespace mbrt {

// function must own nothing that a destructor frees: glibc unwinds its frame.
void call_or_sleep(void (*function)(void*), void* argument);

[[noreturn]] void sleep_forever();

}  // namespace mbrt

#endif  // MBRT_BASE_CALL_OR_SLEEP_H_
