// This process and the machine that it runs on.
#ifndef MBRT_BASE_PROCESS_H_
#define MBRT_BASE_PROCESS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace mbrt {

// The file of this program, with / between folders; empty where the system does not tell.
std::string own_path();

// Maximum resident memory of this process since the last reset, in bytes.
std::optional<std::uint64_t> peak_memory();

// Resets the process's peak memory. False where the system cannot.
bool reset_peak_memory();

// "Linux 6.1.0 x86_64".
std::string system_name();

// "AMD EPYC 9654 96-Core Processor", else the architecture; as the system gives it, perhaps with many
// spaces.
std::string processor_name();

// Hardware threads of the machine, at least 1.
std::size_t logical_processors();

}  // namespace mbrt

#endif  // MBRT_BASE_PROCESS_H_
