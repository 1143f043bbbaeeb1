// A command's options and arguments, read as Python's argparse reads them for the `mbrt` of the
// package: options may stand anywhere, --name VALUE or --name=VALUE, -n VALUE or -nVALUE, and after
// `--` everything is an argument.
#ifndef MBRT_TOOLS_ARGUMENTS_H_
#define MBRT_TOOLS_ARGUMENTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mbrt::tools {

// An option that is not there, a value that is not one. The message says which; the usage goes
// before it.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Arguments {
 public:
  // command: "embed"; about: what --help says first.
  Arguments(std::string command, std::string about);

  // What follows is under a heading of its own in the help.
  void group(const std::string& title);
  // brief: a letter, or 0. metavar: what the value is called; for choices: those that it can be.
  void option(const std::string& name, char brief, const std::string& metavar,
              const std::string& help, std::vector<std::string> choices = {});
  void flag(const std::string& name, char brief, const std::string& help);
  // The arguments that are no options, in order; many: one or more, or none too when optional.
  enum class Count { kOne, kAny, kSome };
  void positional(const std::string& metavar, Count count, const std::string& help);
  void example(const std::string& line);

  // Throws UsageError. True when the help was asked for; the rest is then not looked at.
  bool parse(const std::vector<std::string>& words);

  bool has(const std::string& name) const { return values_.count(name) > 0; }
  std::optional<std::string> value(const std::string& name) const;
  // UsageError when the value is no whole number, or no number.
  std::optional<std::int64_t> integer(const std::string& name) const;
  std::optional<double> number(const std::string& name) const;
  // "8,32,128" as numbers from 1; what: what they are, for the message.
  std::optional<std::vector<std::size_t>> positive_list(const std::string& name,
                                                        const std::string& what) const;
  // The first kOne argument, and those behind it.
  const std::string& first() const { return positionals_.front(); }
  std::vector<std::string> rest() const;
  // Of two flags the one that was given last; empty when neither was.
  std::optional<bool> either(const std::string& yes, const std::string& no) const;

  const std::string& command() const { return command_; }
  std::string usage() const;
  std::string help() const;

 private:
  struct Option {
    std::string name;
    char brief;
    std::string metavar;  // empty: a flag
    std::string help;
    std::vector<std::string> choices;
    std::size_t group;
    std::string spelling() const;  // "-f PATH, --file PATH"
    std::string value_name() const;
  };
  struct Positional {
    std::string metavar;
    Count count;
    std::string help;
  };
  struct Given {
    std::string text;
    std::size_t place;  // among the words
  };
  const Option* find(std::string_view name) const;
  const Option* find(char brief) const;
  bool is_option(const std::string& word) const;
  std::size_t take(const std::vector<std::string>& words, std::size_t i);
  void set(const Option& option, const std::string& text, std::size_t place);
  void check_positionals() const;

  std::string command_;
  std::string about_;
  std::vector<std::string> groups_{"options"};
  std::vector<Option> options_;
  std::vector<Positional> expected_;
  std::vector<std::string> examples_;
  std::map<std::string, Given> values_;
  std::vector<std::string> positionals_;
};

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_ARGUMENTS_H_
