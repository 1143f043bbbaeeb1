#include <fcntl.h>
#include <io.h>
#include <windows.h>
// After windows.h:
#include <shellapi.h>

#include <cstdlib>

#include "base/program.h"
#include "base/wide_windows.h"

namespace mbrt {
namespace {

UINT previous_code_page = 0;

void use_utf8_console() {
  previous_code_page = GetConsoleOutputCP();  // 0 without a console
  if (previous_code_page == 0) return;
  SetConsoleOutputCP(CP_UTF8);
  std::atexit([] { SetConsoleOutputCP(previous_code_page); });
}

}  // namespace

// argv is in a code page that cannot express every name.
std::vector<std::string> start_program(int, char**) {
  for (const int descriptor : {0, 1}) _setmode(descriptor, _O_BINARY);
  use_utf8_console();
  int count = 0;
  wchar_t** const wide = CommandLineToArgvW(GetCommandLineW(), &count);
  std::vector<std::string> arguments;
  for (int i = 1; i < count; ++i) arguments.push_back(utf8_of(wide[i]));
  LocalFree(wide);
  return arguments;
}

}  // namespace mbrt
