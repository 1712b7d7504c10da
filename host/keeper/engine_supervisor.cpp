#include "keeper/engine_supervisor.hpp"

#include <algorithm>

#include "common/units.hpp"

namespace tenon::keeper {
namespace {

constexpr std::size_t kMaxRemembered = 1000;

std::string milliseconds(Duration d) { return std::to_string(whole_milliseconds(d)) + " ms"; }

}  // namespace

Duration EngineBackoff::on_end(MonotonicTime started, MonotonicTime ended) {
  ++restarts_;
  while (!ends_.empty() && (ended - ends_.front() > kStable || ends_.size() >= kMaxRemembered)) ends_.pop_front();
  ends_.push_back(ended);
  if (ended - started >= kStable) next_ = Duration::zero();
  const Duration wait = next_;
  next_ = next_ == Duration::zero() ? kFirst : std::min(next_ * 2, kLongest);
  return wait;
}

std::uint64_t EngineBackoff::recent(MonotonicTime now) const {
  return static_cast<std::uint64_t>(
      std::count_if(ends_.begin(), ends_.end(), [now](MonotonicTime end) { return now - end <= kStable; }));
}

HangVerdict judge(const EngineSigns& signs, const HangLimits& limits, MonotonicTime awake_since, MonotonicTime now) {
  struct Rule {
    const std::optional<MonotonicTime>& since;
    Duration limit;
    const char* complaint;
  };
  const Rule rules[] = {
      {signs.awaiting_greeting, limits.greeting, "it did not greet the keeper within "},
      {signs.in_turn, limits.turn, "a turn of its loop took longer than "},
      {signs.stopped, limits.turn, "it was stopped by a signal for longer than "},
      {signs.not_reading, limits.turn, "it did not read from the keeper for longer than "},
      {signs.closed_link, limits.leaving, "it closed its link to the keeper and did not exit within "},
  };
  HangVerdict verdict;
  verdict.look_again = now + limits.turn;
  for (const auto& rule : rules) {
    if (!rule.since) continue;
    const MonotonicTime expiry = std::max(*rule.since, awake_since) + rule.limit;
    if (now >= expiry) {
      verdict.reason = rule.complaint + milliseconds(rule.limit);
      return verdict;
    }
    verdict.look_again = std::min(verdict.look_again, expiry);
  }
  return verdict;
}

}  // namespace tenon::keeper
