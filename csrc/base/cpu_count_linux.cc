#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/cpu_count.h"

namespace mbrt {
namespace {

// The lines of a small file, without newlines; empty when it cannot be read. stdio, not streams:
// streams would add half a megabyte of locale code to a static program.
std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::FILE* const file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return lines;
  std::string line;
  for (int c; (c = std::fgetc(file)) != EOF;) {
    if (c != '\n') {
      line += static_cast<char>(c);
      continue;
    }
    lines.push_back(line);
    line.clear();
  }
  if (!line.empty()) lines.push_back(line);
  std::fclose(file);
  return lines;
}

std::string first_line(const std::string& path) {
  const std::vector<std::string> lines = lines_of(path);
  return lines.empty() ? "" : lines.front();
}

// Physical cores among the CPUs of the affinity mask: hyper-threads of one core share its
// multipliers.
std::size_t allowed_physical_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) != 0) return std::thread::hardware_concurrency();
  std::set<std::string> cores;
  std::size_t unknown = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &mask)) continue;
    const std::string siblings = first_line("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                                            "/topology/thread_siblings_list");
    if (siblings.empty()) {
      ++unknown;
    } else {
      cores.insert(siblings);
    }
  }
  return cores.size() + unknown;
}

// The CPU quota of a cgroup, or infinity.
double quota_v2(const std::string& folder) {
  const std::string line = first_line(folder + "/cpu.max");  // "max 100000", "150000 100000"
  char* end = nullptr;
  const double quota = std::strtod(line.c_str(), &end);
  const double period = std::strtod(end, nullptr);
  return end != line.c_str() && period > 0 ? quota / period : HUGE_VAL;
}

double quota_v1(const std::string& folder) {
  const double quota = std::strtod(first_line(folder + "/cpu.cfs_quota_us").c_str(), nullptr);
  const double period = std::strtod(first_line(folder + "/cpu.cfs_period_us").c_str(), nullptr);
  return quota > 0 && period > 0 ? quota / period : HUGE_VAL;
}

// The smallest quota from this process's cgroup up to the root, for cgroup v1 and v2.
double cgroup_quota() {
  double quota = std::min(quota_v2("/sys/fs/cgroup"), quota_v1("/sys/fs/cgroup/cpu"));
  for (const std::string& line : lines_of("/proc/self/cgroup")) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && controllers.find("cpu") == std::string::npos) continue;
    const std::string root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    for (std::string group = line.substr(second + 1); group.size() > 1 && group.front() == '/';
         group.erase(group.rfind('/'))) {
      quota = std::min(quota, v2 ? quota_v2(root + group) : quota_v1(root + group));
    }
  }
  return quota;
}

}  // namespace

std::size_t usable_cores() {
  const std::size_t cores = std::max<std::size_t>(allowed_physical_cores(), 1);
  const double quota = std::ceil(cgroup_quota());
  return quota < static_cast<double>(cores)
             ? std::max<std::size_t>(static_cast<std::size_t>(quota), 1)
             : cores;
}

}  // namespace mbrt
