// mbrt: the command line for machines without Python. Commands, options and JSON fields are those of
// the Python package's `mbrt`, which also converts and inspects models.
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "base/error.h"
#include "tools/commands.h"
#include "tools/interrupt.h"

namespace mbrt::tools {
namespace {

constexpr int kExitError = 1, kExitUsage = 2, kExitInterrupted = 130, kExitBrokenPipe = 141;

constexpr const Command* kCommands[] = {&kEmbed, &kClassify, &kTag, &kAnswer,
                                        &kFill,  &kBench,    &kInfo};

std::string overview() {
  std::string text =
      "usage: mbrt COMMAND ...\n\n"
      "MobileBERT and small BERT encoders on this CPU. Nothing is downloaded or reported.\n\n";
  for (const Command* command : kCommands) {
    text += "  " + padded(command->name, 8) + "  " + command->summary + "\n";
  }
  return text +
         "\nexamples:\n"
         "  mbrt classify sst2.safetensors \"a warm, funny film\"\n"
         "  mbrt embed minilm.safetensors --file passages.txt --json\n\n"
         "`mbrt COMMAND --help` explains a command. Environment: MBRT_ISA, MBRT_NUM_THREADS.\n"
         "Model files are written by the Python package: `mbrt convert`.\n";
}

int fail(int code, const std::string& message) {
  std::fprintf(stderr, "mbrt: %s\n", message.c_str());
  return code;
}

int run(const Command& command, std::span<const std::string> words) {
  try {
    const Arguments arguments(command, words);
    if (arguments.wants_help()) {
      print(command.help());
    } else {
      command.run(arguments);
    }
    flush();
    return 0;
  } catch (const BrokenPipe&) {
    return kExitBrokenPipe;
  } catch (const CancelledError&) {
    return fail(kExitInterrupted, "interrupted");
  } catch (const UsageError& error) {
    return fail(kExitUsage,
                error.what() + (std::string(" See `mbrt ") + command.name) + " --help`.");
  } catch (const Error& error) {
    return fail(kExitError, error.what());
  } catch (const std::bad_alloc&) {
    return fail(kExitError, "out of memory. A smaller --max-batch-tokens needs less.");
  } catch (const std::exception& error) {
    return fail(kExitError, std::string("internal error; please report it: ") + error.what());
  }
}

int start(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::fputs(overview().c_str(), stderr);
    return kExitUsage;
  }
  const std::string& name = words.front();
  if (name == "-h" || name == "--help" || name == "help") {
    std::fputs(overview().c_str(), stdout);
    return 0;
  }
  if (name == "-V" || name == "--version") {
    std::puts("mbrt " MBRT_VERSION);
    return 0;
  }
  for (const Command* command : kCommands) {
    if (name == command->name) return run(*command, std::span(words).subspan(1));
  }
  return fail(kExitUsage, name +
                              ": no such command. `mbrt --help` lists them; convert, inspect, "
                              "verify and profile are in the Python package.");
}

}  // namespace
}  // namespace mbrt::tools

#if defined(__GLIBCXX__)
// The C++ library's own handler prints the exception's name, and links 40 KB of demangler for that.
namespace __gnu_cxx {
void __verbose_terminate_handler() { std::abort(); }
}  // namespace __gnu_cxx
#endif

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // a failed write reports EPIPE instead
  mbrt::tools::watch_for_interrupts();
  return mbrt::tools::start({argv + std::min(argc, 1), argv + argc});
}
