#include "tools/progress.h"

#include <cstdio>

#include "base/streams.h"
#include "model/message.h"
#include "tools/output.h"

namespace mbrt::tools {

Progress::Progress(std::optional<std::size_t> total, std::string unit, bool quiet)
    : total_(total), unit_(std::move(unit)), shown_(!quiet && is_terminal(stderr)) {}

void Progress::update(std::size_t more) {
  constexpr std::chrono::milliseconds kDelay{1000}, kInterval{100};
  done_ += more;
  const Clock::time_point now = Clock::now();
  if (!shown_ || now - begin_ < kDelay || now - last_ < kInterval) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const std::string line = thousands(done_) + (total_ ? " of " + thousands(*total_) : "") + " " +
                           unit_ +
                           formatted(", %.4g per second", static_cast<double>(done_) / seconds);
  std::fprintf(stderr, "\r%s", padded(line, width_).c_str());
  std::fflush(stderr);
  width_ = line.size();
}

void Progress::clear() {
  if (width_ == 0) return;
  std::fprintf(stderr, "\r%s\r", std::string(width_, ' ').c_str());
  std::fflush(stderr);
  width_ = 0;
}

}  // namespace mbrt::tools
