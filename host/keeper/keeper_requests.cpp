#include <algorithm>
#include <cerrno>
#include <csignal>
#include <unistd.h>

#include "common/logging.hpp"
#include "common/system.hpp"
#include "keeper/keeper_core.hpp"
#include "keeper/socket_address.hpp"

namespace tenon::keeper {
namespace {

constexpr std::chrono::milliseconds kMaxShutdownBound = std::chrono::hours(24);

SpawnFailed refusal(const ProcessKey& key, std::string why) {
  return SpawnFailed{key, std::string(to_string(SpawnStage::refused)), 0, std::move(why)};
}

// What the engine goes by to tell what may pass from what has to be mended.
int spawn_errno(errc code) {
  switch (code) {
    case errc::exhausted: return EMFILE;
    case errc::not_found: return ENOENT;
    case errc::invalid_argument: return EINVAL;
    case errc::permission: return EACCES;
    default: return 0;
  }
}

}  // namespace

struct KeeperCore::Handler {
  KeeperCore& keeper;
  void operator()(HelloAck& m) { keeper.engine_->acknowledge(m, keeper.holdings_, keeper.now_); }
  void operator()(SpawnRequest& m) { keeper.handle_spawn(std::move(m)); }
  void operator()(SignalRequest& m) { keeper.handle_signal(m); }
  void operator()(StopPlanUpdate& m) {
    Child* child = keeper.holdings_.children.find(m.key);
    if (!child || m.stop.signal_number < 1 || m.stop.signal_number > SIGRTMAX) return;
    child->stop = m.stop;
    child->stop.grace = std::clamp(m.stop.grace, std::chrono::milliseconds(0), kMaxGrace);
  }
  void operator()(CloseRequest& m) { keeper.handle_close(m); }
  void operator()(Forget& m) { keeper.handle_forget(m); }
  void operator()(StashPut& m) {
    const std::string key = m.key;
    const Status put = keeper.holdings_.stash.put(std::move(m));
    if (!put.ok()) keeper.tell(StashRefused{key, put.error().message});
  }
  void operator()(StashDelete& m) { keeper.holdings_.stash.erase(m.key); }
  void operator()(ListenRequest& m) { keeper.handle_listen(m); }
  void operator()(Unlisten& m) {
    // Out of epoll first: while the keeper answers for an absent engine it watches the socket itself.
    if (const Listener* listener = keeper.holdings_.listeners.find(m.name)) keeper.unavailable_.forget(listener->fd());
    keeper.holdings_.listeners.close(m.name);
  }
  void operator()(ShutdownBound& m) {
    keeper.shutdown_bound_ = std::clamp(m.bound, std::chrono::milliseconds(0), kMaxShutdownBound);
    if (keeper.phase_ == Phase::asked) keeper.stop_deadline_ = keeper.asked_at_ + keeper.shutdown_bound_;
  }
  void operator()(LogSettings& m) {
    if (m.level <= static_cast<std::uint8_t>(log::Level::off)) log::set_level(static_cast<log::Level>(m.level));
    if (m.format <= static_cast<std::uint8_t>(log::Format::json)) log::set_format(static_cast<log::Format>(m.format));
  }
  void operator()(Works&) { keeper.note_works(); }
  void operator()(UpgradeRequest& m) { keeper.handle_upgrade(m); }
  void operator()(MainProcess& m) { keeper.handle_main_process(m); }
  void operator()(Awake&) { keeper.engine_->note_awake(keeper.now_); }
  void operator()(Stopping& m) { keeper.await_stop(m.exit_code & 0xff); }
  void operator()(Quit& m) { keeper.begin_stop(m.exit_code & 0xff); }
  void operator()(auto&) { keeper.engine_->condemn("it sent what only a keeper may send", keeper.now_); }
};

void KeeperCore::handle(Message request) {
  std::visit(Handler{*this}, request);
}

void KeeperCore::handle_spawn(SpawnRequest request) {
  const ProcessKey key = request.spec.key;
  if (Child* known = holdings_.children.find(key)) {
    if (known->abandoned)
      return tell(refusal(key, "a process of that name, of an earlier engine, is being killed; use another"));
    return answer_spawned(*known);
  }
  if (phase_ == Phase::stopping || phase_ == Phase::ending) {
    return tell(refusal(key, "the host is stopping and starts nothing any more"));
  }
  if (holdings_.children.full()) {
    static const std::string full = "the host holds " + std::to_string(kMaxChildren) +
                                    " processes already; stop some, or run a second host";
    return tell(refusal(key, full));
  }
  auto sockets = open_sockets(request.spec);
  if (!sockets) {
    const int error_number = spawn_errno(sockets.error().code);
    return tell(SpawnFailed{key, std::string(to_string(SpawnStage::socket)), error_number, sockets.error().message});
  }
  Cgroups::Membership membership = cgroups_.join(key.id, request.spec.group_limits);
  constexpr auto memory = static_cast<std::size_t>(CgroupController::memory);
  const std::uint64_t memory_kills = membership.limited[memory] ? cgroups_.out_of_memory_kills(key.id) : 0;
  auto outcome = spawn_in_group(request.spec, membership, *sockets);
  if (auto* failure = std::get_if<SpawnFailure>(&outcome)) {
    leave_group(key.id);
    return tell(SpawnFailed{key, std::string(to_string(failure->stage)), failure->error_number,
                            std::move(failure->message)});
  }
  auto& spawned = std::get<SpawnedChild>(outcome);
  Child child;
  child.key = key;
  child.pid = child.told_pid = spawned.pid;
  child.user = request.spec.uid.value_or(::geteuid());
  child.started = clock_.monotonic();
  child.started_wall = clock_.wall();
  child.channel = request.spec.channel;
  child.stop = request.spec.stop;
  child.transient = request.spec.transient;
  child.contained = membership.contained();
  any_uncontained_ |= !child.contained;
  child.memory_limited = membership.limited[memory];
  child.memory_kills = memory_kills;
  child.ends = std::move(spawned.descriptors);
  answer_spawned(holdings_.children.add(std::move(child)));
}

// Open from the first start that asks for them until nobody wants them any more: clients queue while a process restarts.
Result<std::vector<int>> KeeperCore::open_sockets(const SpawnSpec& spec) {
  std::vector<int> sockets;
  for (const PassedSocket& wanted : spec.sockets) {
    const bool known = holdings_.listeners.find(wanted.listener.name) != nullptr;
    auto opened = holdings_.listeners.reopen(wanted.listener);
    if (!opened) return std::move(opened).error();
    const Listener& listener = **opened;
    if (!known && !spawner_.leaves_the_reserve(listener.fd())) {
      holdings_.listeners.close(wanted.listener.name);
      return Error(errc::exhausted, "the host's limit on open descriptors leaves none for a listening socket; raise it "
                                    "(ulimit -Hn, LimitNOFILE=) and run the host again, or run fewer processes");
    }
    if (wanted.alone) TENON_TRY(set_nonblocking(listener.fd(), !wanted.listener.blocking));
    if (!known) {
      const auto at = address_of(listener.fd());
      const std::string place = at.ok() ? to_string(*at) : at.error().message;
      log::info("keeper", "listening for a process",
                {{"process", spec.key.id}, {"socket", wanted.name}, {"at", place}});
    }
    sockets.push_back(listener.fd());
  }
  return sockets;
}

// A process runs, if need be, without the groups that will not have it: with rlimits, and known by its cookie.
SpawnOutcome KeeperCore::spawn_in_group(const SpawnSpec& spec, Cgroups::Membership& membership,
                                        const std::vector<int>& sockets) {
  const auto is_refused = [](const SpawnOutcome& outcome) {
    const auto* failure = std::get_if<SpawnFailure>(&outcome);
    return failure && failure->stage == SpawnStage::cgroup;
  };
  SpawnOutcome outcome = spawner_.spawn(spec, membership, sockets);
  if (!is_refused(outcome)) return outcome;
  if (membership.contained()) {
    membership = cgroups_.join_anew(spec.key.id, spec.group_limits);
    outcome = spawner_.spawn(spec, membership, sockets);
    if (!is_refused(outcome)) return outcome;
  }
  log::warn("keeper", "a process runs without a control group: its own will not have it",
            {{"process", to_string(spec.key)}, {"why", std::get<SpawnFailure>(outcome).message}});
  membership = {};
  return spawner_.spawn(spec, membership, sockets);
}

void KeeperCore::answer_spawned(Child& child) {
  if (!engine_ || !engine_->live()) return;  // it died in between: its successor adopts the child
  auto ends = duplicate_ends(child);
  if (!ends) {
    log::error("keeper", "out of descriptors; raise the limit on open files", {{"process", to_string(child.key)}});
    return engine_->condemn(ends.error().message, now_);
  }
  tell(Spawned{child.key, child.pid, child.started.time_since_epoch().count(),
               child.started_wall.time_since_epoch().count(), std::move(*ends)});
  // Asked again about one that has exited: an engine that asks has not taken note.
  if (!child.runs()) {
    child.told = false;
    engine_->tell_exit(child, now_);
  }
}

void KeeperCore::handle_signal(const SignalRequest& request) {
  Child* child = holdings_.children.find(request.key);
  int failed = ESRCH;
  if (child && child->runs()) {
    failed = 0;
    if (request.to == SignalTarget::group) signal_family(*child, request.signal_number);
    else failed = signal_main_process(*child, request.signal_number);
  }
  if (failed != 0) tell(SignalFailed{request.key, request.signal_number, failed});
}

void KeeperCore::handle_close(const CloseRequest& request) {
  if (Child* child = holdings_.children.find(request.key)) end_of(child->ends, request.end).reset();
  tell(Closed{request.key, request.end});
}

void KeeperCore::handle_forget(const Forget& request) {
  Child* child = holdings_.children.find(request.key);
  if (!child || child->runs()) return;
  holdings_.children.erase(request.key);
  leave_group(request.key.id);
}

void KeeperCore::handle_listen(const ListenRequest& request) {
  auto opened = holdings_.listeners.open(request.spec);
  if (!opened) {
    return tell(ListenFailed{request.spec.name, static_cast<std::int32_t>(opened.error().code),
                             opened.error().message});
  }
  tell(Listening{request.spec.name, (*opened)->port(), (*opened)->duplicate()});
}

}  // namespace tenon::keeper
