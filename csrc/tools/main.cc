// mbrt: the command line for machines without Python. The same commands, options, output and exit
// codes as the package's own, for those that need no training and no conversion.
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

constexpr int kExitError = 2, kExitInterrupted = 130, kExitBrokenPipe = 141;

// The order of the help.
constexpr const Command* kCommands[] = {&kEmbed, &kClassify, &kTag, &kAnswer,
                                        &kFill,  &kBench,    &kInfo};
// Those that only the Python package has.
constexpr const char* kElsewhere[] = {"convert", "inspect", "verify", "profile"};

std::string overview() {
  std::string text =
      "usage: mbrt COMMAND ...\n\n"
      "MobileBERT and small BERT encoders on this CPU. Nothing is ever downloaded or reported.\n\n";
  for (const Command* command : kCommands) {
    text += "  " + padded(command->name, 8) + "  " + command->summary + "\n";
  }
  return text +
         "\nexamples:\n"
         "  mbrt classify sst2.safetensors \"a warm, funny film\"\n"
         "  mbrt embed minilm.safetensors --file passages.txt --json\n\n"
         "`mbrt COMMAND --help` explains each with an example. Environment: MBRT_ISA, "
         "MBRT_NUM_THREADS.\n"
         "Model files are written by the Python package's `mbrt convert`.\n";
}

// Letters to insert, remove or change to make one word of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

int unknown_command(const std::string& name) {
  for (const char* other : kElsewhere) {
    if (name != other) continue;
    std::fprintf(stderr,
                 "mbrt: %s is a command of the Python package (`pip install .` in its sources)\n",
                 other);
    return kExitError;
  }
  std::string hint = ".";
  constexpr std::size_t kNear = 2;
  for (const Command* command : kCommands) {
    if (distance(name, command->name) <= kNear) {
      hint = "; did you mean " + std::string(command->name) + "?";
    }
  }
  std::fprintf(stderr, "mbrt: there is no command '%s'%s `mbrt --help` lists them.\n", name.c_str(),
               hint.c_str());
  return kExitError;
}

void run(const Command& command, const std::vector<std::string>& words) {
  Arguments arguments(command.name, command.about);
  command.configure(arguments);
  try {
    if (arguments.parse(words)) {
      print(arguments.help());
    } else {
      command.run(arguments);
    }
  } catch (const UsageError& error) {
    throw UsageError(arguments.usage() + "mbrt " + command.name + ": error: " + error.what());
  }
  flush();
}

int run_and_report(const Command& command, const std::vector<std::string>& words) {
  try {
    run(command, words);
    return 0;
  } catch (const BrokenPipe&) {
    return kExitBrokenPipe;
  } catch (const CancelledError&) {
    std::fprintf(stderr, "mbrt %s: interrupted\n", command.name);
    return kExitInterrupted;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s\n", error.what());
  } catch (const Error& error) {
    std::fprintf(stderr, "mbrt %s: %s\n", command.name, error.what());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "mbrt %s: out of memory; a smaller --max-batch-tokens needs less\n",
                 command.name);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mbrt %s: a fault of this program: %s\n", command.name, error.what());
  }
  return kExitError;
}

int start(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::fputs(overview().c_str(), stderr);
    return kExitError;
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
    if (name == command->name) return run_and_report(*command, {words.begin() + 1, words.end()});
  }
  return unknown_command(name);
}

}  // namespace
}  // namespace mbrt::tools

#if defined(__GLIBCXX__)
// The C++ library's own says which exception it was, and brings 40 KB of demangler for that.
namespace __gnu_cxx {
void __verbose_terminate_handler() { std::abort(); }
}  // namespace __gnu_cxx
#endif

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // a failed write is told to the writer instead
  mbrt::tools::watch_for_interrupts();
  return mbrt::tools::start({argv + std::min(argc, 1), argv + argc});
}
