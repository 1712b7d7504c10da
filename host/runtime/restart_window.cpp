#include "runtime/restart_window.hpp"

#include <algorithm>

namespace tenon::runtime {

bool RestartWindow::admit(const Intensity& intensity, MonotonicTime now) {
  std::erase_if(times_, [&](MonotonicTime at) { return now - at >= intensity.period; });
  times_.push_back(now);
  if (times_.size() <= intensity.restarts) return true;
  // One over the limit stays counted, so that the next failure in the period is over it as well.
  while (times_.size() > static_cast<std::size_t>(intensity.restarts) + 1) times_.erase(times_.begin());
  return false;
}

std::size_t RestartWindow::count(const Intensity& intensity, MonotonicTime now) const noexcept {
  return static_cast<std::size_t>(std::count_if(times_.begin(), times_.end(), [&](MonotonicTime at) {
    return now - at < intensity.period;
  }));
}

void RestartWindow::restore(std::vector<MonotonicTime> times) {
  times_ = std::move(times);
  std::sort(times_.begin(), times_.end());
}

}  // namespace tenon::runtime
