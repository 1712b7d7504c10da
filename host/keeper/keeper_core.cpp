#include "keeper/keeper_core.hpp"

#include <csignal>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/logging.hpp"
#include "keeper/random_name.hpp"
#include "keeper/reaper.hpp"

namespace tenon::keeper {
namespace {

constexpr int kReapsPerTurn = 256;
constexpr Duration kLookForMore = std::chrono::milliseconds(1);
constexpr Duration kLingerPatience = std::chrono::seconds(2);  // for what a dead process started to die of SIGKILL
constexpr Duration kLookAgain = std::chrono::milliseconds(20);  // whether strangers are gone
constexpr Duration kEnginePatience = std::chrono::seconds(2);  // to leave, once all is stopped
// Woken this late, the keeper was itself not running: a frozen cgroup, a stopped container, a suspended machine.
constexpr Duration kLate = std::chrono::seconds(1);

}  // namespace

KeeperCore::KeeperCore(const KeeperOptions& options, HostProcess host, Poller poller, unique_fd breadcrumbs)
    : options_(options), host_(std::move(host)), run_(random_hex(8)), cgroups_(Cgroups::make_here()),
      spawner_(host_.original, run_), poller_(std::move(poller)),
      unavailable_(poller_), breadcrumbs_(std::move(breadcrumbs)), now_(clock_.monotonic()), awake_since_(now_),
      started_(now_), started_wall_(clock_.wall()), shutdown_bound_(options.shutdown_bound),
      inherited_children_(has_children()) {
  holdings_.listeners = Listeners(std::move(host_.sockets));
  poller_.watch(Watched::signals, host_.signals.get(), EPOLLIN);
}

int KeeperCore::run() {
  unavailable_at_ = now_ + options_.unavailable_after;
  start_engine();
  while (phase_ != Phase::ending || engine_) turn();
  cgroups_.remove_all();
  return exit_code_;
}

void KeeperCore::turn() {
  const MonotonicTime deadline = next_deadline();
  const auto events = poller_.wait(clock_.monotonic(), deadline);
  now_ = clock_.monotonic();
  if (deadline != MonotonicTime::max() && now_ - deadline > kLate) awake_since_ = now_;
  for (const auto& event : events) {
    switch (event.what) {
      case Watched::signals: on_signals(); break;
      case Watched::link: on_link(event); break;
      case Watched::listener: unavailable_.on_listener(event.fd, now_); break;
      case Watched::client: unavailable_.on_client(event.fd); break;
    }
  }
  advance();
}

MonotonicTime KeeperCore::next_deadline() const {
  MonotonicTime next = MonotonicTime::max();
  const auto consider = [&next](std::optional<MonotonicTime> at) {
    if (at && *at < next) next = *at;
  };
  consider(reap_at_);
  consider(start_engine_at_);
  if (engine_) consider(engine_->next_deadline());
  if (!unavailable_.on()) consider(unavailable_at_);
  consider(unavailable_.next_deadline());
  consider(orphans_due_);
  if (!lingering_.empty()) consider(now_ + kLookForMore);
  if (upgrade_ != Upgrade::none && engine_) consider(upgrade_deadline_);
  if (phase_ == Phase::asked) consider(stop_deadline_);
  if (phase_ == Phase::stopping && plan_.finished()) consider(strangers_end_ ? now_ + kLookAgain : now_);
  if (phase_ == Phase::stopping && !plan_.finished()) consider(plan_.next_deadline());
  if (phase_ == Phase::ending) consider(end_deadline_);
  return next;
}

void KeeperCore::on_signals() {
  signalfd_siginfo info{};
  while (::read(host_.signals.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    switch (info.ssi_signo) {
      case SIGCHLD: on_child_signal(static_cast<pid_t>(info.ssi_pid)); break;
      case SIGHUP: on_reload_signal(); break;
      case SIGQUIT: on_quit_signal(); break;
      default: on_stop_signal(); break;
    }
  }
}

// Of several deaths only one may have been told. The others are looked for, but later than the engine needs to replace
// this one: among ten thousand children that takes a while.
void KeeperCore::on_child_signal(pid_t told) {
  const MonotonicTime at = reap_next(told) ? now_ + kLookForMore : now_;
  if (!reap_at_ || at < *reap_at_) reap_at_ = at;
}

void KeeperCore::on_reload_signal() {
  const bool stays = upgrade_ == Upgrade::none || upgrade_ == Upgrade::trying;
  if (stays && engine_ && engine_->live()) return tell(ReloadRequested{});
  reload_pending_ = true;
}

void KeeperCore::on_stop_signal() {
  ++stop_signals_;
  if (stop_signals_ == 1 && phase_ == Phase::asked) return;  // the engine is at it already, by its own decision
  if (stop_signals_ == 1 && phase_ == Phase::running && engine_ && engine_->live()) {
    log::info("keeper", "stopping: the engine is asked to stop everything", {{"bound_ms", shutdown_bound_.count()}});
    await_stop(0);
    return tell(ShutdownRequested{shutdown_bound_});
  }
  if (phase_ == Phase::running || phase_ == Phase::asked) begin_stop(stop_exit_code_);
  if (stop_signals_ >= 3) plan_.kill_all();
}

void KeeperCore::on_quit_signal() {
  log::warn("keeper", "SIGQUIT: every process is killed at once");
  if (phase_ == Phase::running || phase_ == Phase::asked) begin_stop(stop_exit_code_);
  plan_.kill_all();
}

// From here on the engine stops everything; if it cannot, by its death or by the bound, the keeper does.
void KeeperCore::await_stop(int exit_code) {
  stop_exit_code_ = exit_code;
  if (phase_ != Phase::running) return;
  phase_ = Phase::asked;
  asked_at_ = now_;
  stop_deadline_ = now_ + shutdown_bound_;
}

// Bounded in a turn, so that ten thousand deaths at once do not keep the keeper from its signals.
void KeeperCore::reap() {
  reap_at_ = now_;
  for (int i = 0; i < kReapsPerTurn && reap_at_; ++i) {
    if (!reap_next(kAnyChild)) reap_at_.reset();
  }
  if (std::exchange(succession_open_, false)) reap_at_ = now_ + kLookForMore;
  if (!engine_) return;
  if (const auto stopped = stopped_or_continued(engine_->pid())) engine_->note_stopped(*stopped, now_);
}

// False if it is not dead, or none is.
bool KeeperCore::reap_next(pid_t which) {
  // While the leader is a zombie its group's number cannot be anybody else's: whatever it left behind dies now.
  bool lingers = false, succeeded = false;
  const auto kill_rest = [this, &lingers, &succeeded](pid_t pid) {
    Child* const child = holdings_.children.find_running(pid);
    if (!child) {
      if (engine_ && engine_->pid() == pid) ::kill(-pid, SIGKILL);
      return true;
    }
    const Succession next = succession(*child);
    if (next == Succession::open) return false;
    succeeded = next == Succession::settled;
    if (!succeeded) lingers = kill_remains(*child);
    return true;
  };
  auto reaped = reap_one(kill_rest, which);
  if (!reaped) return false;
  if (engine_ && engine_->pid() == reaped->pid) {
    on_engine_exit(reaped->exit);
  } else if (Child* child = holdings_.children.find_running(reaped->pid); child && succeeded) {
    hand_over(*child);
  } else if (child) {
    on_child_exit(*child, std::move(reaped->exit));
    if (lingers) lingering_.push_back({child->key, now_ + kLingerPatience});
    else finish_exit(*child);
  } else {
    orphans_due_ = now_;  // one of them: its own children are ours now
  }
  return true;
}

void KeeperCore::on_child_exit(Child& child, ExitReport report) {
  plan_.note_exit(child.pid);
  report.run_time = std::max(now_ - child.started, Duration::zero());  // it may be younger than this turn
  note_memory_kill(child, report);
  holdings_.children.note_exit(child, std::move(report));
}

void KeeperCore::advance() {
  if (reap_at_ && now_ >= *reap_at_) reap();
  if (start_engine_at_ && now_ >= *start_engine_at_ && phase_ == Phase::running) start_engine();
  if (engine_) engine_->look(awake_since_, now_);
  if (!lingering_.empty()) look_at_lingering();
  if (orphans_due_ && now_ >= *orphans_due_) look_for_orphans();
  advance_upgrade();
  watch_link();
  serve_unavailable();
  advance_stop();
}

void KeeperCore::advance_stop() {
  if (phase_ == Phase::asked && now_ >= stop_deadline_) {
    log::warn("keeper", "the engine did not stop everything in time; the keeper does it",
              {{"bound_ms", shutdown_bound_.count()}});
    begin_stop(stop_exit_code_);
  }
  if (phase_ == Phase::stopping) {
    signal_groups(plan_.advance(now_));
    if (plan_.finished() && !kill_strangers()) begin_end();
  }
  if (phase_ == Phase::ending && engine_ && now_ >= end_deadline_) {
    if (engine_killed_) return engine_.reset();  // it hangs in the kernel: nothing more can be done
    engine_killed_ = true;
    ::kill(engine_->pid(), SIGKILL);
    end_deadline_ = now_ + kEnginePatience;
  }
}

void KeeperCore::begin_stop(int exit_code) {
  exit_code_ = exit_code;
  if (phase_ == Phase::stopping || phase_ == Phase::ending) return;
  phase_ = Phase::stopping;
  start_engine_at_.reset();
  kill_transients();
  std::vector<ShutdownPlan::Member> members;
  for (const auto& [key, child] : holdings_.children) {
    if (!child.runs()) continue;
    members.push_back({child.pid, child.stop});
    if (child.transient) members.back().stop.grace = std::chrono::milliseconds(0);
  }
  plan_ = ShutdownPlan(std::move(members));
}

void KeeperCore::signal_groups(const std::vector<ShutdownPlan::Action>& actions) {
  for (const auto& action : actions) {
    Child* child = holdings_.children.find_running(action.pid);
    if (!child) continue;
    signal_family(*child, action.signal_number);
    // A stopped process takes no signal but SIGKILL before it is continued.
    if (action.signal_number != SIGKILL) signal_family(*child, SIGCONT);
  }
}

void KeeperCore::begin_end() {
  if (plan_.given_up() != 0) {
    log::error("keeper", "processes did not die of SIGKILL and are left behind; look for state D in ps",
               {{"count", plan_.given_up()}});
    exit_code_ = exit_code_ == 0 ? 1 : exit_code_;
  }
  phase_ = Phase::ending;
  end_deadline_ = now_ + kEnginePatience;
  if (!engine_) return;
  poller_.unwatch(engine_->link_fd());
  engine_->close_link();
}

}  // namespace tenon::keeper
