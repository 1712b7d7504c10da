#include "keeper/keeper_client.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "keeper/cgroups.hpp"
#include "keeper/orphans.hpp"

namespace tenon::keeper {
namespace {

// Of one on_readable: the caller's loop gets its turn between two batches of a large adoption.
constexpr int kMessagesPerTurn = 256;
constexpr int kKillRounds = 10;  // over all that the dead keeper's run has left: each may have forked meanwhile

}  // namespace

Result<unique_fd> KeeperClient::take_link_from_environment() {
  const char* text = std::getenv(kLinkVariable);
  int fd = -1;
  if (text) std::from_chars(text, text + std::strlen(text), fd);
  if (fd < 0 || ::fcntl(fd, F_GETFD) < 0) {
    return Error(errc::wrong_state, "`engine` is started by `tenon run` only; use `tenon run CONFIG`", fault::caller);
  }
  ::unsetenv(kLinkVariable);
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return Error::from_errno(errno, "mark the keeper link close-on-exec");
  return unique_fd(fd);
}

KeeperClient::KeeperClient(unique_fd link, KeeperEvents& events) : link_(std::move(link)), events_(events) {}
KeeperClient::~KeeperClient() = default;

void KeeperClient::on_readable() {
  for (int i = 0; i < kMessagesPerTurn && state_ != State::lost; ++i) {
    auto received = link_.receive();
    if (!received) return lose(std::move(received).error());
    if (received->end_of_stream) {
      kill_every_group();
      return lose(Error(errc::unavailable, "the keeper is gone; every process group was killed; start the host again"));
    }
    if (!received->message) return;
    handle(std::move(*received->message));
  }
}

void KeeperClient::on_writable() {
  if (state_ == State::lost) return;
  // A closed link is met by on_readable, after what the keeper sent last.
  if (auto flushed = link_.flush(); !flushed && flushed.error().code != errc::unavailable) {
    return lose(std::move(flushed).error());
  }
  note_interest();
}

void KeeperClient::handle(Message message) {
  switch (state_) {
    case State::greeting: {
      auto* hello = std::get_if<Hello>(&message);
      Status greeted = hello ? greet(std::move(*hello)) : Status(Error(errc::bad_data, "the keeper did not say hello"));
      if (!greeted.ok()) lose(std::move(greeted).error());
      return;
    }
    case State::adopting:
      if (auto* entry = std::get_if<StashEntry>(&message)) {
        adoption_->stash[std::move(entry->key)] = {std::move(entry->bytes), std::move(entry->descriptors)};
      } else if (auto* child = std::get_if<AdoptedChild>(&message)) {
        if (!child->exit) running_[child->key] = child->pid;
        adoption_->children.push_back(std::move(*child));
      } else if (auto* listener = std::get_if<AdoptedListener>(&message)) {
        adoption_->listeners.push_back(std::move(*listener));
      } else if (std::holds_alternative<AdoptEnd>(message)) {
        state_ = State::live;
        events_.on_adopted(std::move(*std::exchange(adoption_, nullptr)));
      } else {
        lose(Error(errc::bad_data, "the keeper sent an answer in the middle of an adoption"));
      }
      return;
    case State::live: return deliver(std::move(message));
    case State::lost: return;
  }
}

Status KeeperClient::greet(Hello hello) {
  if (hello.protocol_version != kProtocolVersion) {
    return Error(errc::unsupported, "the keeper speaks version " + std::to_string(hello.protocol_version) +
                                        " of the keeper protocol, this engine version " +
                                        std::to_string(kProtocolVersion) + "; stop the host and start it again");
  }
  auto vitals = MappedPage<VitalsPage>::map(hello.vitals.get());
  if (!vitals) return std::move(vitals).error();
  auto breadcrumbs = MappedPage<BreadcrumbPage>::map(hello.breadcrumbs.get());
  if (!breadcrumbs) return std::move(breadcrumbs).error();
  vitals_ = std::move(*vitals);
  breadcrumbs_ = std::move(*breadcrumbs);

  adoption_ = std::make_unique<Adoption>();
  adoption_->trail = read_breadcrumbs(*breadcrumbs_);
  clear_breadcrumbs(*breadcrumbs_);
  hello.vitals.reset();
  hello.breadcrumbs.reset();
  run_ = hello.run;
  cgroups_ = hello.cgroups;
  adoption_->hello = std::move(hello);
  state_ = State::adopting;
  return send(HelloAck{});
}

struct KeeperClient::Delivery {
  KeeperClient& self;
  void operator()(Spawned& m) {
    self.running_[m.key] = m.pid;
    self.events_.on_spawned(std::move(m));
  }
  void operator()(SpawnFailed& m) { self.events_.on_spawn_failed(std::move(m)); }
  void operator()(Exited& m) {
    self.running_.erase(m.key);
    self.events_.on_exited(std::move(m));
  }
  void operator()(Closed& m) { self.events_.on_closed(std::move(m)); }
  void operator()(SignalFailed& m) { self.events_.on_signal_failed(std::move(m)); }
  void operator()(StashRefused& m) { self.events_.on_stash_refused(std::move(m)); }
  void operator()(Listening& m) { self.events_.on_listening(std::move(m)); }
  void operator()(ListenFailed& m) { self.events_.on_listen_failed(std::move(m)); }
  void operator()(ShutdownRequested& m) { self.events_.on_shutdown_requested(m); }
  void operator()(ReloadRequested&) { self.events_.on_reload_requested(); }
  void operator()(Leave&) { self.events_.on_leave(); }
  void operator()(HandedOver& m) {
    self.running_[m.key] = m.pid;
    self.events_.on_handed_over(std::move(m));
  }
  void operator()(MainProcessRefused& m) { self.events_.on_main_process_refused(std::move(m)); }
  void operator()(UpgradeRefused& m) { self.events_.on_upgrade_refused(std::move(m)); }
  void operator()(auto&) { self.lose(Error(errc::bad_data, "the keeper sent what only an engine may send")); }
};

void KeeperClient::deliver(Message message) {
  std::visit(Delivery{*this}, message);
}

// The dead keeper's PDEATHSIG takes the children themselves; their own children die here. A group that is gone already
// costs an ESRCH. Its number cannot have been reused: the kernel keeps it while any member lives, and hands numbers out
// in turn.
void KeeperClient::kill_every_group() noexcept {
  for (const auto& [key, pid] : running_) {
    const pid_t group = ::getpgid(pid);  // one that goes on as another may be in any
    ::kill(-(group > 0 ? group : pid), SIGKILL);
  }
  running_.clear();
  end_cgroups(cgroups_);
  if (!run_.empty()) kill_whole_run(run_, kKillRounds);
  end_cgroups(cgroups_);  // what has died since held them
}

void KeeperClient::lose(Error why) {
  if (state_ == State::lost) return;
  state_ = State::lost;
  events_.on_link_lost(why);
  link_.close();
}

void KeeperClient::note_interest() {
  if (link_.wants_write() == announced_interest_) return;
  announced_interest_ = link_.wants_write();
  events_.on_interest_changed(announced_interest_);
}

Status KeeperClient::send(Message message) {
  if (state_ == State::lost) return Error(errc::wrong_state, "the keeper is gone; nothing can be asked of it");
  Status sent = link_.send(std::move(message));
  note_interest();
  return sent;
}

Status KeeperClient::spawn(SpawnSpec spec) { return send(SpawnRequest{std::move(spec)}); }

Status KeeperClient::signal(const ProcessKey& key, int signal_number, SignalTarget to) {
  return send(SignalRequest{key, signal_number, to});
}

Status KeeperClient::name_main_process(const ProcessKey& key, pid_t pid) { return send(MainProcess{key, pid}); }

Status KeeperClient::set_stop_plan(const ProcessKey& key, const StopPlan& plan) {
  return send(StopPlanUpdate{key, plan});
}

Status KeeperClient::close(const ProcessKey& key, ChannelEnd end) { return send(CloseRequest{key, end}); }

Status KeeperClient::forget(const ProcessKey& key) { return send(Forget{key}); }

Status KeeperClient::put(std::string key, std::string bytes, const std::vector<int>& descriptors) {
  StashPut message{std::move(key), std::move(bytes), {}};
  for (int fd : descriptors) {
    message.descriptors.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!message.descriptors.back()) return Error::from_errno(errno, "duplicate a descriptor for the keeper");
  }
  return send(std::move(message));
}

Status KeeperClient::erase(std::string key) { return send(StashDelete{std::move(key)}); }
Status KeeperClient::listen(ListenSpec spec) { return send(ListenRequest{std::move(spec)}); }
Status KeeperClient::unlisten(std::string name) { return send(Unlisten{std::move(name)}); }
Status KeeperClient::set_shutdown_bound(std::chrono::milliseconds bound) { return send(ShutdownBound{bound}); }
Status KeeperClient::log_as(log::Level level, log::Format format) {
  return send(LogSettings{static_cast<std::uint8_t>(level), static_cast<std::uint8_t>(format)});
}
void KeeperClient::enter_turn(MonotonicTime now) {
  if (vitals_.get() != nullptr && vitals_->enter_turn(now) && !send(Awake{}).ok()) vitals_->keep_unwatched();
}
Status KeeperClient::stopping(int exit_code) { return send(Stopping{exit_code}); }
Status KeeperClient::quit(int exit_code) { return send(Quit{exit_code}); }
Status KeeperClient::works() { return send(Works{}); }
Status KeeperClient::upgrade(std::string binary) { return send(UpgradeRequest{std::move(binary)}); }

}  // namespace tenon::keeper
