// The command line: one table of options per command. The parser and the help read the tables.
#ifndef MBRT_TOOLS_ARGUMENTS_H_
#define MBRT_TOOLS_ARGUMENTS_H_

#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mbrt::tools {

// A wrong command line: exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline constexpr std::size_t kNoMax = std::numeric_limits<std::size_t>::max();

struct Option {
  const char* name;  // "--top-k"
  char letter;       // 'k' for -k; 0: no short form
  // Name of the value: "N", or the choices "int8|fp32"; "int8|fp32[,...]" for a list of them. Empty:
  // a flag.
  const char* value;
  const char* help;
};

struct OptionGroup {
  const char* title;
  std::span<const Option> options;
};

class Arguments;
struct Program;

struct Command {
  const char* name;
  const char* summary;         // one line of `mbrt --help`
  const char* about;           // first paragraph of `mbrt COMMAND --help`
  const char* words;           // what is not an option: "MODEL [TEXT ...]"
  bool needs_no_head = false;  // takes any model, the package's own too
  std::span<const OptionGroup> groups;
  const char* examples;  // one per line
  void (*run)(const Arguments& arguments, const Program& program);

  std::string help() const;
};

// What the user gave. Options stand anywhere: --name VALUE, --name=VALUE, -n VALUE or -nVALUE. After
// "--" every word is a text. The getters throw UsageError for a value that cannot be read.
class Arguments {
 public:
  Arguments(const Command& command, std::span<const std::string> words);

  bool wants_help() const { return has("--help"); }
  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  std::optional<std::string> text(std::string_view name) const;
  // A whole number, min to max.
  std::optional<std::size_t> count(std::string_view name, std::size_t min,
                                   std::size_t max = kNoMax) const;
  // A positive number.
  std::optional<double> positive(std::string_view name) const;
  // "8,32,128": whole numbers, 1 to max.
  std::optional<std::vector<std::size_t>> counts(std::string_view name,
                                                 std::size_t max = kNoMax) const;

  // "int8,fp32": the parts; empty when the option was not given.
  std::vector<std::string> list(std::string_view name) const;

  const std::string& model() const { return words_.front(); }
  // The words behind MODEL.
  std::vector<std::string> texts() const { return {words_.begin() + 1, words_.end()}; }

 private:
  const Option& find(const Command& command, const std::string& word) const;

  std::map<std::string, std::string, std::less<>> values_;
  std::vector<std::string> words_;
};

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_ARGUMENTS_H_
