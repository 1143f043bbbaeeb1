#include "tools/arguments.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace mbrt::tools {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// -5, -1.5: never options here, so they are arguments.
bool is_negative_number(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && (is_digit(word[1]) || word[1] == '.') &&
         std::all_of(word.begin() + 1, word.end(), [](char c) { return is_digit(c) || c == '.'; });
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

// "  name    help", the help in its own column.
std::string help_line(const std::string& name, const std::string& help) {
  constexpr std::size_t kColumn = 26;
  std::string line = "  " + name;
  line += line.size() + 2 > kColumn ? "\n" + std::string(kColumn, ' ')
                                    : std::string(kColumn - line.size(), ' ');
  return line + help + "\n";
}

}  // namespace

Arguments::Arguments(std::string command, std::string about)
    : command_(std::move(command)), about_(std::move(about)) {
  flag("--help", 'h', "show this help and stop");
}

void Arguments::group(const std::string& title) { groups_.push_back(title); }

void Arguments::option(const std::string& name, char brief, const std::string& metavar,
                       const std::string& help, std::vector<std::string> choices) {
  options_.push_back({name, brief, metavar, help, std::move(choices), groups_.size() - 1});
}

void Arguments::flag(const std::string& name, char brief, const std::string& help) {
  option(name, brief, "", help);
}

void Arguments::positional(const std::string& metavar, Count count, const std::string& help) {
  expected_.push_back({metavar, count, help});
}

void Arguments::example(const std::string& line) { examples_.push_back(line); }

const Arguments::Option* Arguments::find(std::string_view name) const {
  for (const Option& option : options_) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

const Arguments::Option* Arguments::find(char brief) const {
  for (const Option& option : options_) {
    if (option.brief == brief) return &option;
  }
  return nullptr;
}

// A text may begin with a dash when it has a space in it, as in "- a list", or is a number.
bool Arguments::is_option(const std::string& word) const {
  if (word.size() < 2 || word[0] != '-' || is_negative_number(word)) return false;
  if (find(std::string_view(word).substr(0, word.find('='))) != nullptr) return true;
  if (word[1] != '-' && find(word[1]) != nullptr) return true;
  return word.find(' ') == std::string::npos;
}

bool Arguments::parse(const std::vector<std::string>& words) {
  bool options_end = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (options_end || !is_option(words[i])) {
      positionals_.push_back(words[i]);
    } else if (words[i] == "--") {
      options_end = true;
    } else {
      i = take(words, i);
      if (has("--help")) return true;
    }
  }
  check_positionals();
  return false;
}

// Reads the option at words[i]; the place of the last word that belongs to it.
std::size_t Arguments::take(const std::vector<std::string>& words, std::size_t i) {
  const std::string& word = words[i];
  const bool is_long = word[1] == '-';
  const std::size_t equals = is_long ? word.find('=') : std::string::npos;
  const Option* const option =
      is_long ? find(std::string_view(word).substr(0, equals)) : find(word[1]);
  if (option == nullptr) throw UsageError("unrecognized arguments: " + word);

  std::optional<std::string> attached;
  if (equals != std::string::npos) attached = word.substr(equals + 1);
  if (!is_long && word.size() > 2) attached = word.substr(word[2] == '=' ? 3 : 2);
  if (option->metavar.empty()) {
    if (attached) throw UsageError("argument " + option->name + ": takes no value");
    set(*option, "", i);
  } else if (attached) {
    set(*option, *attached, i);
  } else {
    const bool follows = i + 1 < words.size() && !is_option(words[i + 1]);
    if (!follows) throw UsageError("argument " + option->name + ": expected one argument");
    set(*option, words[i + 1], i + 1);
    return i + 1;
  }
  return i;
}

void Arguments::set(const Option& option, const std::string& text, std::size_t place) {
  const std::vector<std::string>& choices = option.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
    throw UsageError("argument " + option.name + ": invalid choice: '" + text + "' (choose from " +
                     joined(choices, ", ") + ")");
  }
  values_[option.name] = {text, place};
}

void Arguments::check_positionals() const {
  std::size_t least = 0;
  bool any_number = false;
  std::string missing;
  for (const Positional& one : expected_) {
    if (one.count != Count::kAny && ++least > positionals_.size()) {
      missing += (missing.empty() ? "" : ", ") + one.metavar;
    }
    any_number |= one.count != Count::kOne;
  }
  if (!missing.empty()) {
    throw UsageError("the following arguments are required: " + missing);
  }
  if (!any_number && positionals_.size() > expected_.size()) {
    throw UsageError("unrecognized arguments: " + positionals_[expected_.size()]);
  }
}

std::optional<std::string> Arguments::value(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second.text;
}

std::optional<std::int64_t> Arguments::integer(const std::string& name) const {
  const std::optional<std::string> text = value(name);
  if (!text) return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const long long number = std::strtoll(text->c_str(), &end, 10);
  if (text->empty() || *end != '\0' || errno != 0) {
    throw UsageError("argument " + name + ": invalid int value: '" + *text + "'");
  }
  return number;
}

std::optional<double> Arguments::number(const std::string& name) const {
  const std::optional<std::string> text = value(name);
  if (!text) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(text->c_str(), &end);
  if (text->empty() || *end != '\0' || number != number) {
    throw UsageError("argument " + name + ": invalid float value: '" + *text + "'");
  }
  return number;
}

std::optional<std::vector<std::size_t>> Arguments::positive_list(const std::string& name,
                                                                 const std::string& what) const {
  const std::optional<std::string> text = value(name);
  if (!text) return std::nullopt;
  const auto refuse = [&] {
    throw UsageError("argument " + name + ": '" + *text + "' is not a list of " + what +
                     " such as 8,32,128");
  };
  std::vector<std::size_t> numbers;
  for (std::size_t begin = 0, end; begin <= text->size(); begin = end + 1) {
    end = std::min(text->find(',', begin), text->size());
    const std::string part = text->substr(begin, end - begin);
    const bool whole =
        !part.empty() && part.size() < 10 && std::all_of(part.begin(), part.end(), is_digit);
    if (!whole || std::atol(part.c_str()) == 0) {
      refuse();
    }
    numbers.push_back(static_cast<std::size_t>(std::atol(part.c_str())));
  }
  return numbers;
}

std::vector<std::string> Arguments::rest() const {
  return {positionals_.begin() + 1, positionals_.end()};
}

std::optional<bool> Arguments::either(const std::string& yes, const std::string& no) const {
  const auto first = values_.find(yes), second = values_.find(no);
  if (first == values_.end() && second == values_.end()) return std::nullopt;
  if (first == values_.end() || second == values_.end()) return second == values_.end();
  return first->second.place > second->second.place;
}

std::string Arguments::Option::value_name() const {
  return choices.empty() ? metavar : "{" + joined(choices, ",") + "}";
}

std::string Arguments::Option::spelling() const {
  const std::string tail = metavar.empty() ? "" : " " + value_name();
  return (brief == 0 ? "" : std::string("-") + brief + tail + ", ") + name + tail;
}

std::string Arguments::usage() const {
  std::string text = "usage: mbrt " + command_;
  std::size_t column = text.size();
  const auto add = [&](const std::string& word) {
    constexpr std::size_t kWidth = 78;
    if (column + 1 + word.size() > kWidth) {
      text += "\n           ";
      column = 11;
    }
    text += " " + word;
    column += 1 + word.size();
  };
  for (const Option& option : options_) {
    const std::string name = option.brief == 0 ? option.name : std::string("-") + option.brief;
    add("[" + name + (option.metavar.empty() ? "" : " " + option.value_name()) + "]");
  }
  for (const Positional& one : expected_) {
    add(one.count == Count::kOne    ? one.metavar
        : one.count == Count::kSome ? one.metavar + " [" + one.metavar + " ...]"
                                    : "[" + one.metavar + " ...]");
  }
  return text + "\n";
}

std::string Arguments::help() const {
  std::string text = usage() + "\n" + about_ + "\n";
  if (!expected_.empty()) text += "\narguments:\n";
  for (const Positional& one : expected_) text += help_line(one.metavar, one.help);
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    text += "\n" + groups_[i] + ":\n";
    for (const Option& option : options_) {
      if (option.group == i) text += help_line(option.spelling(), option.help);
    }
  }
  text += "\nexamples:\n";
  for (const std::string& line : examples_) text += "  " + line + "\n";
  return text;
}

}  // namespace mbrt::tools
