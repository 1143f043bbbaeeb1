// The start of a command-line program.
#ifndef MBRT_BASE_PROGRAM_H_
#define MBRT_BASE_PROGRAM_H_

#include <string>
#include <vector>

namespace mbrt {

// Returns the arguments of main, without the program's name, in UTF-8. From then on standard streams
// pass bytes unchanged, consoles show UTF-8, and writing to a closed pipe is an error (EPIPE).
std::vector<std::string> start_program(int argc, char** argv);

}  // namespace mbrt

#endif  // MBRT_BASE_PROGRAM_H_
