#include <algorithm>
#include <csignal>
#include <unistd.h>

#include "common/logging.hpp"
#include "keeper/keeper_core.hpp"

namespace tenon::keeper {
namespace {

// Of one turn: a chatty engine does not keep the keeper from reaping.
constexpr int kRequestsPerTurn = 128;
constexpr int kStartFailureExitCode = 1;

}  // namespace

void KeeperCore::start_engine() {
  start_engine_at_.reset();
  Hello hello;
  hello.keeper_pid = ::getpid();
  hello.keeper_started_ns = started_.time_since_epoch().count();
  hello.keeper_started_wall_ns = started_wall_.time_since_epoch().count();
  hello.engine_ordinal = ++engines_;
  hello.engine_restarts = backoff_.restarts();
  hello.recent_restarts = backoff_.recent(now_);
  hello.previous_exit = previous_exit_;
  hello.previous_hung = previous_hung_;
  hello.engine_lost_ns = engine_lost_ns_;
  hello.host_parameters = options_.host_parameters;
  hello.run = run_;
  hello.cgroups = cgroups_.directories();

  hello.upgrades = upgrades_;
  hello.upgrade_failure = upgrade_failure_;
  const bool trial = upgrade_ == Upgrade::trying;
  const EngineStart what{trial ? candidate_.get() : host_.binary.get(), options_.engine_argv, options_.engine_environment, breadcrumbs_.get(),
                         {options_.hang_timeout, options_.greeting_timeout}};
  auto started = EngineSession::start(spawner_, what, std::move(hello), now_);
  if (started) {
    engine_ = std::move(*started);
    link_events_ = 0;
    return;
  }
  if (trial) return roll_back(started.error().message);
  if (engines_ == 1) {
    log::error("keeper", "the engine cannot be started; the host ends", {{"reason", started.error().message}});
    return begin_stop(kStartFailureExitCode);
  }
  const Duration wait = std::max(backoff_.on_end(now_, now_), EngineBackoff::kFirst);
  log::error("keeper", "the engine cannot be started; trying again", {{"reason", started.error().message}});
  start_engine_at_ = now_ + wait;
}

void KeeperCore::on_engine_exit(const ExitReport& report) {
  // What it asked for before it died still counts: a Quit, a note of an exit, the last bytes of a channel.
  if (!engine_->malformed()) read_requests(kAllRequests);
  const bool expected = phase_ != Phase::running;
  previous_exit_ = report.status;
  previous_hung_ = engine_->hung();
  engine_lost_ns_ = now_.time_since_epoch().count();
  const MonotonicTime started = engine_->started();
  if (engine_->link_fd() >= 0) poller_.unwatch(engine_->link_fd());
  engine_.reset();
  link_events_ = 0;
  if (!unavailable_at_) unavailable_at_ = now_ + options_.unavailable_after;
  kill_transients();

  if (phase_ == Phase::asked) return begin_stop(stop_exit_code_);
  if (expected || upgrade_on_engine_exit(to_string(report.status))) return;
  const Duration wait = backoff_.on_end(started, now_);
  log::error("keeper", "the engine ended; its processes go on, another one follows",
             {{"ended", to_string(report.status)},
              {"restart_in_ms", std::chrono::duration_cast<std::chrono::milliseconds>(wait).count()}});
  start_engine_at_ = now_ + wait;
}

// Helpers are of no use to the next engine. Those that run are forgotten when they are reaped.
void KeeperCore::kill_transients() {
  std::vector<ProcessKey> dead;
  for (auto& [key, child] : holdings_.children) {
    if (!child.transient) continue;
    if (child.runs()) {
      child.abandoned = true;
      signal_family(child, SIGKILL);
    } else {
      dead.push_back(key);
    }
  }
  for (const auto& key : dead) holdings_.children.erase(key);
}

void KeeperCore::watch_link() {
  if (!engine_ || engine_->link_fd() < 0) return;
  if (engine_->deaf()) return poller_.unwatch(engine_->link_fd());
  const std::uint32_t wanted = (engine_->wants_read() ? EPOLLIN : 0u) | (engine_->wants_write() ? EPOLLOUT : 0u);
  if (wanted == link_events_) return;
  poller_.watch(Watched::link, engine_->link_fd(), wanted);
  link_events_ = wanted;
}

void KeeperCore::on_link(const Poller::Event& event) {
  if (!engine_ || event.fd != engine_->link_fd()) return;
  if (event.writable) engine_->pump(holdings_, now_);
  // A hang-up while adopting is read too: what is queued cannot be sent any more.
  if (event.readable || event.hung_up) read_requests(kRequestsPerTurn);
}

void KeeperCore::read_requests(int limit) {
  for (int i = 0; i < limit && engine_; ++i) {
    auto request = engine_->next_request(now_);
    if (!request) return;
    handle(std::move(*request));
    if (limit != kAllRequests && !engine_->wants_read()) return;
  }
}

void KeeperCore::serve_unavailable() {
  if (engine_ && engine_->live()) {
    unavailable_at_.reset();
    if (unavailable_.on()) unavailable_.stop();
    if (std::exchange(reload_pending_, false)) tell(ReloadRequested{});
    return;
  }
  if (!unavailable_at_) unavailable_at_ = now_ + options_.unavailable_after;
  if (!unavailable_.on() && now_ >= *unavailable_at_) unavailable_.start(holdings_.listeners);
  unavailable_.expire(now_);
}

}  // namespace tenon::keeper
