// mbrt: the command line for machines without Python. The `mbrt` of the Python package has the same
// commands, and others that convert and inspect models.
#include <cstdio>
#include <cstdlib>
#include <new>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/path_kind.h"
#include "base/program.h"
#include "tools/commands.h"
#include "tools/default_model.h"
#include "tools/wording.h"

namespace mbrt::tools {
namespace {

constexpr int kExitError = 1, kExitUsage = 2, kExitInterrupted = 130, kExitBrokenPipe = 141;

std::shared_ptr<const Encoder> load_file(const ModelRequest& request) {
  std::string path = request.path;
  const KernelSet& kernels = kernel_set(request.isa);
  const PathKind kind = path_kind(path);
  if (kind == PathKind::kFolder) {
    throw InputError(path +
                     ": found a folder; expected a model file. Write one with the Python "
                     "package: `mbrt convert " +
                     path + " model.safetensors`.");
  }
  if (path == "default" && kind == PathKind::kNone) path = default_model_path();
  auto encoder = std::make_shared<const Encoder>(ModelFile::open(path), kernels);
  const std::string found = precision_name(encoder->config());
  const std::string expected = request.precision.value_or(found);
  if (found != expected) {
    throw InputError(path + ": found precision " + found + "; expected " + expected +
                     ". Convert the original folder with `mbrt convert --precision " + expected +
                     "`.");
  }
  return encoder;
}

std::string native_overview() {
  return overview({},
                  "  mbrt classify sst2.safetensors \"a warm, funny film\"\n"
                  "  mbrt embed minilm.safetensors --file passages.txt --json\n") +
         "Model files are written by the Python package: `mbrt convert`.\n";
}

int fail(int code, const std::string& message) {
  std::fprintf(stderr, "mbrt: %s\n", message.c_str());
  return code;
}

int run(const Command& command, std::span<const std::string> words) {
  try {
    const InterruptWatch watch;
    run_command(command, words, {.load = load_file, .other_tokenizer = {}, .facts = {}});
    return 0;
  } catch (const BrokenPipe&) {
    return kExitBrokenPipe;
  } catch (const CancelledError&) {
    return fail(kExitInterrupted, "interrupted");
  } catch (const UsageError& error) {
    return fail(kExitUsage,
                error.what() + (std::string(" See `mbrt ") + command.name) + " --help`.");
  } catch (const Error& error) {
    return fail(kExitError, on_command_line(error.what()));
  } catch (const std::bad_alloc&) {
    return fail(kExitError, "out of memory. A smaller --max-batch-tokens needs less.");
  } catch (const std::exception& error) {
    return fail(kExitError, std::string("internal error; please report it: ") + error.what());
  }
}

int start(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::fputs(native_overview().c_str(), stderr);
    return kExitUsage;
  }
  const std::string& name = words.front();
  if (name == "-h" || name == "--help" || name == "help") {
    std::fputs(native_overview().c_str(), stdout);
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

int main(int argc, char** argv) { return mbrt::tools::start(mbrt::start_program(argc, argv)); }
