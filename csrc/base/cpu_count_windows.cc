#include <windows.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/cpu_count.h"

namespace mbrt {
namespace {

// The processors of the affinity mask of a process in one processor group; all when it has several.
KAFFINITY allowed_processors() {
  DWORD_PTR process = 0, system = 0;
  const bool known = GetProcessAffinityMask(GetCurrentProcess(), &process, &system) != 0;
  return known && process != 0 ? process : ~KAFFINITY{0};
}

// Physical cores with an allowed processor; 0 when the system does not tell.
std::size_t allowed_physical_cores() {
  DWORD size = 0;
  GetLogicalProcessorInformationEx(RelationProcessorCore, nullptr, &size);
  std::vector<char> bytes(size);
  const auto first = reinterpret_cast<PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX>(bytes.data());
  if (size == 0 || GetLogicalProcessorInformationEx(RelationProcessorCore, first, &size) == 0) {
    return 0;
  }
  const KAFFINITY allowed = allowed_processors();
  std::size_t cores = 0;
  for (DWORD at = 0; at < size;) {
    const auto core = reinterpret_cast<PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX>(bytes.data() + at);
    if ((core->Processor.GroupMask[0].Mask & allowed) != 0) ++cores;
    at += core->Size;
  }
  return cores;
}

// The hard CPU limit of this process's job object, in processors, or infinity.
double job_quota(std::size_t processors) {
  JOBOBJECT_CPU_RATE_CONTROL_INFORMATION limit = {};
  if (QueryInformationJobObject(nullptr, JobObjectCpuRateControlInformation, &limit, sizeof limit,
                                nullptr) == 0) {
    return HUGE_VAL;
  }
  constexpr DWORD kHard = JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
  if ((limit.ControlFlags & kHard) != kHard || limit.CpuRate == 0) return HUGE_VAL;
  return limit.CpuRate / 10000.0 * static_cast<double>(processors);
}

}  // namespace

std::size_t usable_cores() {
  const std::size_t processors =
      std::max<std::size_t>(GetActiveProcessorCount(ALL_PROCESSOR_GROUPS), 1);
  const std::size_t physical = allowed_physical_cores();
  const std::size_t cores = physical == 0 ? processors : physical;
  const double quota = std::ceil(job_quota(processors));
  return quota < static_cast<double>(cores) ? static_cast<std::size_t>(quota) : cores;
}

}  // namespace mbrt
