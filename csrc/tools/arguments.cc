#include "tools/arguments.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "tools/output.h"

namespace mbrt::tools {
namespace {

constexpr Option kHelp{"--help", 'h', "", "show this help"};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0, end; begin <= text.size(); begin = end + 1) {
    end = std::min(text.find(separator, begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
  }
  return parts;
}

[[noreturn]] void refuse(std::string_view name, const std::string& found,
                         const std::string& expected) {
  throw UsageError(std::string(name) + ": found '" + found + "'; expected " + expected + ".");
}

std::size_t whole_number(std::string_view name, const std::string& text, std::size_t min,
                         std::size_t max) {
  std::size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end || number < min || number > max) {
    refuse(name, text,
           formatted("a whole number, at least %zu", min) +
               (max == kNoMax ? "" : formatted(" and at most %zu", max)));
  }
  return number;
}

void check_choice(const Option& option, const std::string& value) {
  const std::string_view names = option.value;
  const std::vector<std::string> choices = split(names.substr(0, names.find('[')), '|');
  if (choices.size() == 1) return;
  const bool is_list = names.ends_with(']');
  for (const std::string& part : is_list ? split(value, ',') : std::vector{value}) {
    if (std::find(choices.begin(), choices.end(), part) == choices.end()) {
      refuse(option.name, part, std::string("one of ") + option.value);
    }
  }
}

// "  -k, --top-k N         help", the help in a column of its own.
std::string help_line(const Option& option) {
  constexpr std::size_t kColumn = 28;
  std::string line = option.letter == 0 ? "  " : std::string("  -") + option.letter + ", ";
  line += option.name;
  if (*option.value != 0) line += std::string(" ") + option.value;
  if (line.size() + 2 > kColumn) line += "\n";
  const std::size_t width = line.size() - (line.find('\n') == std::string::npos ? 0 : line.size());
  return line + std::string(kColumn - width, ' ') + option.help + "\n";
}

}  // namespace

std::string Command::help() const {
  std::string text = std::string("usage: mbrt ") + name + " " + words + " [options]\n\n" + about;
  if (std::string_view(words).starts_with("MODEL")) {
    text += "\n\nMODEL is a model file";
    text += needs_no_head ? ", or \"default\", the model that comes with the package." : ".";
    text += "\nThe Python package's `mbrt` also takes a Hugging Face folder.";
  }
  for (const OptionGroup& group : groups) {
    text += std::string("\n\n") + group.title + ":\n";
    for (const Option& option : group.options) text += help_line(option);
    text.pop_back();
  }
  text += "\n" + help_line(kHelp) + "\nexamples:\n";
  for (const std::string& line : split(examples, '\n')) text += "  " + line + "\n";
  return text;
}

Arguments::Arguments(const Command& command, std::span<const std::string> words) {
  bool only_texts = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (only_texts || word.size() < 2 || word[0] != '-') {
      words_.push_back(word);
      continue;
    }
    only_texts = word == "--";
    if (only_texts) continue;
    const Option& option = find(command, word);
    // --name=VALUE or -nVALUE
    const std::size_t value = word[1] == '-' ? std::min(word.find('='), word.size()) : 1;
    std::optional<std::string> given;
    if (value + 1 < word.size()) given = word.substr(value + 1);
    if (*option.value == 0) {
      if (given) throw UsageError(word + ": " + option.name + " takes no value.");
    } else {
      if (!given && i + 1 == words.size()) {
        throw UsageError(std::string(option.name) + ": found no value; expected " + option.value +
                         ".");
      }
      if (!given) given = words[++i];
      check_choice(option, *given);
    }
    values_[option.name] = given.value_or("");
  }
  if (wants_help()) return;
  const std::vector<std::string> expected = split(command.words, ' ');
  const auto is_required = [](const std::string& word) { return word[0] >= 'A' && word[0] <= 'Z'; };
  const auto required = std::count_if(expected.begin(), expected.end(), is_required);
  const bool any_number = expected.back() == "...]";
  const auto count = static_cast<std::ptrdiff_t>(words_.size());
  if (count < required || (count > required && !any_number)) {
    throw UsageError("found " + std::to_string(count) + " arguments; expected " +
                     (*command.words == 0 ? "none" : command.words) + ".");
  }
}

const Option& Arguments::find(const Command& command, const std::string& word) const {
  const bool is_long = word[1] == '-';
  const std::string_view name = std::string_view(word).substr(0, word.find('='));
  const auto matches = [&](const Option& option) {
    return is_long ? name == option.name : word[1] == option.letter;
  };
  if (matches(kHelp)) return kHelp;
  for (const OptionGroup& group : command.groups) {
    const auto found = std::find_if(group.options.begin(), group.options.end(), matches);
    if (found != group.options.end()) return *found;
  }
  throw UsageError(word + ": no such option. A text that begins with a dash goes behind `--`.");
}

std::optional<std::string> Arguments::text(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::size_t> Arguments::count(std::string_view name, std::size_t min,
                                            std::size_t max) const {
  const std::optional<std::string> given = text(name);
  if (!given) return std::nullopt;
  return whole_number(name, *given, min, max);
}

std::optional<double> Arguments::positive(std::string_view name) const {
  const std::optional<std::string> given = text(name);
  if (!given) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(given->c_str(), &end);
  if (given->empty() || *end != '\0' || !(number > 0)) {
    refuse(name, *given, "a positive number");
  }
  return number;
}

std::vector<std::string> Arguments::list(std::string_view name) const {
  const std::optional<std::string> given = text(name);
  return given ? split(*given, ',') : std::vector<std::string>();
}

std::optional<std::vector<std::size_t>> Arguments::counts(std::string_view name,
                                                          std::size_t max) const {
  const std::optional<std::string> given = text(name);
  if (!given) return std::nullopt;
  std::vector<std::size_t> numbers;
  for (const std::string& part : list(name)) {
    numbers.push_back(whole_number(name, part, 1, max));
  }
  return numbers;
}

}  // namespace mbrt::tools
