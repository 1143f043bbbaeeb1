// A progress line on standard error, for work that takes more than a second on a terminal.
#ifndef MBRT_TOOLS_PROGRESS_H_
#define MBRT_TOOLS_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace mbrt::tools {

class Progress {
 public:
  // unit: "texts". quiet: no line.
  Progress(std::optional<std::size_t> total, std::string unit, bool quiet);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::size_t more);
  // Removes the line, so that results can be printed in its place.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  std::optional<std::size_t> total_;
  std::string unit_;
  bool shown_;
  std::size_t done_ = 0;
  std::size_t width_ = 0;  // of the line shown
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_ = begin_;
};

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_PROGRESS_H_
