#include "runtime/health_monitor.hpp"

#include <algorithm>
#include <utility>

#include "common/text.hpp"
#include "common/units.hpp"

namespace tenon::runtime {
namespace {

constexpr Duration kShortest = std::chrono::milliseconds(1);

}  // namespace

// A question is wanted as long as the monitor holds it; answers come with a weak pointer to it.
struct HealthMonitor::Question {
  HealthMonitor* monitor;
};

HealthMonitor::HealthMonitor(event::Loop& loop, std::shared_ptr<const HealthConfig> config,
                             std::unique_ptr<HealthCheck> check, HealthListener& listener, std::uint64_t jitter)
    : loop_(loop), config_(std::move(config)), check_(std::move(check)), listener_(listener), jitter_(jitter) {}

HealthMonitor::~HealthMonitor() { stop(); }

Status HealthMonitor::start(const HealthTarget& target, Duration start_period_left) {
  stop();
  forget();
  if (Status started = check_->start(target); !started) return started;
  start_period_end_ = loop_.clock().monotonic() + std::max(start_period_left, Duration::zero());
  const double part = static_cast<double>(jitter_ >> 11) * 0x1.0p-53;
  wait(Duration(static_cast<Duration::rep>(static_cast<double>(config_->interval.count()) * part)));
  return {};
}

void HealthMonitor::stop() noexcept {
  if (state_ == State::stopped) return;
  timer_.reset();
  if (std::exchange(question_, nullptr)) check_->cancel();
  state_ = State::stopped;
  check_->stop();
}

void HealthMonitor::forget() noexcept {
  tally_ = {};
  reason_.clear();
}

void HealthMonitor::suspend() noexcept {
  if (state_ == State::stopped || state_ == State::suspended) return;
  timer_.reset();
  if (std::exchange(question_, nullptr)) check_->cancel();
  state_ = State::suspended;
}

void HealthMonitor::resume() {
  if (state_ == State::suspended) wait(config_->interval);
}

std::optional<HealthStatus> HealthMonitor::status() const {
  if (!tally_.known) return std::nullopt;
  return HealthStatus{tally_.state, reason_};
}

const std::deque<HealthResult>& HealthMonitor::results() const noexcept {
  static const std::deque<HealthResult> none;
  return results_ ? *results_ : none;
}

void HealthMonitor::wait(Duration delay) {
  state_ = State::waiting;
  timer_ = loop_.after(std::max(delay, kShortest), [this] { ask(); });
}

void HealthMonitor::ask() {
  state_ = State::asking;
  asked_at_ = loop_.clock().monotonic();
  const Duration timeout = std::max(config_->timeout, kShortest);
  timer_ = loop_.after(timeout, [this] { timed_out(); });
  auto question = std::make_shared<Question>(Question{this});
  question_ = question;
  check_->check(asked_at_ + timeout, [asked = std::weak_ptr<Question>(question)](Result<HealthAnswer> answer) {
    if (const auto alive = asked.lock()) alive->monitor->answered(alive.get(), std::move(answer));
  });
}

void HealthMonitor::answered(const Question* question, Result<HealthAnswer> answer) {
  // The last holder may be the caller's lock, after stop(): then the answer is late.
  if (question_.get() != question) return;
  question_.reset();
  const Duration measured = loop_.clock().monotonic() - asked_at_;
  if (!answer) {
    const bool host_is_short = answer.error().code == errc::exhausted && answer.error().whose == fault::host;
    return record(host_is_short ? HealthOutcome::not_made : HealthOutcome::error, measured,
                  std::move(answer).error().message);
  }
  HealthOutcome outcome = HealthOutcome::error;
  switch (answer->status.state) {
    case HealthState::healthy: outcome = HealthOutcome::healthy; break;
    case HealthState::degraded: outcome = HealthOutcome::degraded; break;
    case HealthState::unhealthy: outcome = HealthOutcome::unhealthy; break;
  }
  // A check that times what it does by the deadline may fail there a moment before our own timer: the same timeout, told
  // in better words.
  if (outcome == HealthOutcome::unhealthy && measured >= std::max(config_->timeout, kShortest)) {
    outcome = HealthOutcome::timeout;
    ++timeouts_;
  }
  record(outcome, answer->latency > Duration::zero() ? answer->latency : measured, std::move(answer->status.reason));
}

void HealthMonitor::timed_out() {
  question_.reset();
  const bool asked = !check_->waits_for_host();
  check_->cancel();
  const std::string limit = format_duration(std::max(config_->timeout, kShortest));
  const Duration waited = loop_.clock().monotonic() - asked_at_;
  if (!asked) {
    return record(HealthOutcome::not_made, waited,
                  "not made: no worker thread of the host was free within " + limit +
                      "; other checks take too long (`tenon health` shows which)");
  }
  ++timeouts_;
  record(HealthOutcome::timeout, waited, "no answer within " + limit);
}

void HealthMonitor::record(HealthOutcome outcome, Duration latency, std::string reason) {
  const MonotonicTime now = loop_.clock().monotonic();
  if (outcome == HealthOutcome::healthy) {
    reason.clear();
  } else if (reason.empty()) {
    reason = "the check \"" + config_->check + "\" gave no reason";
  }
  if (reason.size() > kMaxReason) reason = std::string(utf8_prefix(reason, kMaxReason));

  if (!results_) results_ = std::make_unique<std::deque<HealthResult>>();
  HealthResult result{now, latency, outcome, nullptr};
  if (!reason.empty()) {
    const bool same = !results_->empty() && results_->back().reason && *results_->back().reason == reason;
    result.reason = same ? results_->back().reason : std::make_shared<const std::string>(reason);
  }
  results_->push_back(std::move(result));
  if (results_->size() > kResults) results_->pop_front();

  const HealthTally before = tally_;
  const HealthThresholds thresholds{config_->unhealthy_after, config_->healthy_after, config_->degraded_after,
                                    config_->role == HealthRole::readiness};
  tally_ = count_outcome(tally_, outcome, thresholds, now < start_period_end_);
  if (!is_failure(outcome) && outcome != HealthOutcome::not_made) start_period_end_ = now;  // the first success ends it
  const bool changed = tally_.known && (!before.known || before.state != tally_.state);
  // An answer that says another state than the row so far has no say in the reason either.
  const bool said_so = tally_.known && outcome != HealthOutcome::not_made && state_said_by(outcome) == tally_.state;
  if (said_so) reason_ = reason;
  wait(config_->interval);
  listener_.on_health_answer(*this, changed);
}

}  // namespace tenon::runtime
