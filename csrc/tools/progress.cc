#include "tools/progress.h"

#include <unistd.h>

#include <cstdio>

#include "model/message.h"

namespace mbrt::tools {

Progress::Progress(std::optional<std::size_t> total, std::string unit, bool quiet)
    : total_(total), unit_(std::move(unit)), shown_(!quiet && isatty(STDERR_FILENO) != 0) {}

void Progress::update(std::size_t more) {
  constexpr std::chrono::milliseconds kBefore{1000}, kBetween{100};
  done_ += more;
  const Clock::time_point now = Clock::now();
  if (!shown_ || now - begin_ < kBefore || now - last_ < kBetween) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  std::string line = thousands(done_);
  if (total_) line += " of " + thousands(*total_);
  char rate[32];
  std::snprintf(rate, sizeof(rate), ", %.4g a second", static_cast<double>(done_) / seconds);
  line += " " + unit_ + rate;
  const std::size_t width = line.size();
  if (width < width_) line.append(width_ - width, ' ');
  width_ = width;
  std::fprintf(stderr, "\r%s", line.c_str());
  std::fflush(stderr);
}

void Progress::clear() {
  if (width_ == 0) return;
  std::fprintf(stderr, "\r%s\r", std::string(width_, ' ').c_str());
  std::fflush(stderr);
  width_ = 0;
}

}  // namespace mbrt::tools
