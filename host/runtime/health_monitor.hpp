// Asks one health check about one incarnation of one process, again and again.
//
// The model. A monitor is *stopped*, *waiting* for its next turn, or *asking*. The first question comes after a random
// part of the interval (at most one interval), so that ten thousand processes started together are not asked together;
// each further one `interval` after the last was answered. A question unanswered at its timeout is a timeout, told
// apart from a failure; the check is told to cancel, its late answer is dropped, and nobody waited for it: every
// monitor has its own timers. A question that could not be put because the host itself was short of something (no
// worker thread was free, too many commands run) is kept among the results as "not made" and counts for nothing. Never are two questions of one monitor under way. While suspended (the operator paused
// the process) nothing is asked and nothing counts; time without an engine passes while no monitor lives, so it counts
// neither.
//
// [loop]
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "event/loop.hpp"
#include "runtime/health_check.hpp"
#include "runtime/health_hysteresis.hpp"

namespace tenon::runtime {

// One answer of the past.
struct HealthResult {
  MonotonicTime at{};  // when it was known
  Duration latency{0};
  HealthOutcome outcome = HealthOutcome::healthy;
  std::shared_ptr<const std::string> reason;  // shared by equal neighbours; null when healthy
};

class HealthMonitor;

class HealthListener {
 public:
  virtual ~HealthListener() = default;
  // After each answer; `changed` when the state (or a first state) differs from before. Must not destroy the monitor
  // but may stop it.
  virtual void on_health_answer(HealthMonitor& monitor, bool changed) = 0;
};

class HealthMonitor {
 public:
  static constexpr std::size_t kResults = 50;
  static constexpr std::size_t kMaxReason = 256;

  // `config` is not null; the references outlive the monitor. `jitter`: 64 uniform bits.
  HealthMonitor(event::Loop& loop, std::shared_ptr<const HealthConfig> config, std::unique_ptr<HealthCheck> check,
                HealthListener& listener, std::uint64_t jitter);
  HealthMonitor(const HealthMonitor&) = delete;
  ~HealthMonitor();

  // Begins with a new incarnation; forgets the state of the former, keeps its results. `start_period_left` as of now.
  Status start(const HealthTarget& target, Duration start_period_left);
  void stop() noexcept;
  void forget() noexcept;  // the state, as start does; for one that is started later than its incarnation
  void suspend() noexcept;
  void resume();

  const HealthConfig& config() const noexcept { return *config_; }
  bool running() const noexcept { return state_ != State::stopped; }
  // The state after hysteresis, with the reason of the answer that brought it; empty while unknown.
  std::optional<HealthStatus> status() const;
  const std::deque<HealthResult>& results() const noexcept;  // the last kResults, oldest first
  std::uint64_t timeouts() const noexcept { return timeouts_; }

 private:
  enum class State : std::uint8_t { stopped, waiting, asking, suspended };
  struct Question;

  void wait(Duration delay);
  void ask();
  void answered(const Question* question, Result<HealthAnswer> answer);
  void timed_out();
  void record(HealthOutcome outcome, Duration latency, std::string reason);

  event::Loop& loop_;
  std::shared_ptr<const HealthConfig> config_;
  std::unique_ptr<HealthCheck> check_;
  HealthListener& listener_;
  std::uint64_t jitter_;
  State state_ = State::stopped;
  HealthTally tally_;
  std::string reason_;
  MonotonicTime start_period_end_{};
  MonotonicTime asked_at_{};
  std::shared_ptr<Question> question_;  // alive while its answer is wanted
  event::Handle timer_;                 // the next question, or the timeout of this one
  std::unique_ptr<std::deque<HealthResult>> results_;
  std::uint64_t timeouts_ = 0;
};

}  // namespace tenon::runtime
