#include <windows.h>
// After windows.h:
#include <psapi.h>

#include <algorithm>

#include "base/process.h"
#include "base/wide_windows.h"

namespace mbrt {
namespace {

const char* architecture() {
  SYSTEM_INFO system;
  GetNativeSystemInfo(&system);
  return system.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_ARM64 ? "ARM64" : "AMD64";
}

// A text of the registry, in UTF-8; empty when there is none.
std::string registry_text(const wchar_t* key, const wchar_t* name) {
  wchar_t text[256] = {};
  DWORD size = sizeof text;
  const bool found = RegGetValueW(HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_SZ, nullptr, text,
                                  &size) == ERROR_SUCCESS;
  return found ? utf8_of(text) : std::string();
}

}  // namespace

std::string own_path() {
  std::wstring path(32768, L'\0');
  path.resize(GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
  std::string found = utf8_of(path);
  std::replace(found.begin(), found.end(), '\\', '/');
  return found;
}

bool reset_peak_memory() { return false; }

std::optional<std::uint64_t> peak_memory() {
  PROCESS_MEMORY_COUNTERS counters;
  if (GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters) == 0) {
    return std::nullopt;
  }
  return counters.PeakWorkingSetSize;
}

// GetVersionEx answers for the version that a program says it was made for; the registry tells the
// version of the system.
std::string system_name() {
  const std::string build =
      registry_text(L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", L"CurrentBuildNumber");
  return "Windows" + (build.empty() ? "" : " build " + build) + " " + architecture();
}

std::string processor_name() {
  const std::string name =
      registry_text(L"HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0", L"ProcessorNameString");
  return name.empty() ? architecture() : name;
}

std::size_t logical_processors() {
  return std::max<std::size_t>(GetActiveProcessorCount(ALL_PROCESSOR_GROUPS), 1);
}

}  // namespace mbrt
