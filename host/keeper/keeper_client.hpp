// The engine's side of the keeper link. Knows no event loop: the caller watches fd() and calls on_readable/on_writable.
//
// The model. A client is *greeting* until the keeper's Hello came and the version fits, then *adopting* until AdoptEnd,
// then *live*; it is *lost* for ever once the link closes or carries something malformed. Requests may be sent from
// greeting on and are queued; answers come through KeeperEvents. on_adopted comes exactly once and before any other
// answer.
//
// A link that closes means that the keeper is dead: it never closes the link of a living engine while it has children.
// The client then kills the process group of every child it knows (the keeper's PDEATHSIG takes only the direct
// children), the control groups of the run, and whatever else carries its cookie. A malformed packet means that keeper
// and engine do not fit together: the children are left to the keeper and the next engine. Either way on_link_lost comes
// last, and the engine must exit.
//
// Thread: one, the loop's. Callbacks run inside on_readable and may send; they must not destroy the client.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/logging.hpp"
#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "keeper/breadcrumb.hpp"
#include "keeper/link.hpp"
#include "keeper/mapped_page.hpp"
#include "keeper/messages.hpp"
#include "keeper/vitals.hpp"

namespace tenon::keeper {

// The environment variable that tells an engine the descriptor number of its link.
inline constexpr const char* kLinkVariable = "TENON_KEEPER_LINK";

// Everything that the keeper held when this engine came. Empty but for `hello` in the first engine of a host.
struct Adoption {
  struct Stashed {
    std::string bytes;
    std::vector<unique_fd> descriptors;
  };
  Hello hello;  // without its two pages: see KeeperClient::vitals and ::breadcrumbs
  CrashTrail trail;  // what the engine before was doing inside plugins when it ended
  std::vector<AdoptedChild> children;
  std::map<std::string, Stashed, std::less<>> stash;
  std::vector<AdoptedListener> listeners;
};

class KeeperEvents {
 public:
  virtual ~KeeperEvents() = default;
  virtual void on_adopted(Adoption adoption) = 0;
  virtual void on_spawned(Spawned spawned) = 0;
  virtual void on_spawn_failed(SpawnFailed failure) = 0;
  virtual void on_exited(Exited exited) = 0;  // answer with forget() once it was taken note of
  virtual void on_closed(Closed closed) = 0;
  virtual void on_listening(Listening listening) = 0;
  virtual void on_listen_failed(ListenFailed failure) = 0;
  virtual void on_shutdown_requested(ShutdownRequested request) = 0;
  virtual void on_reload_requested() = 0;
  virtual void on_signal_failed(SignalFailed) {}
  virtual void on_stash_refused(StashRefused) {}
  virtual void on_handed_over(HandedOver) {}
  virtual void on_main_process_refused(MainProcessRefused) {}
  virtual void on_leave() {}
  virtual void on_upgrade_refused(UpgradeRefused) {}
  // The last call. The engine must exit; errc::unavailable: the keeper died. fd() is still open: unwatch it here.
  virtual void on_link_lost(const Error& why) = 0;
  // wants_write() changed: watch the descriptor for writing, or stop doing so.
  virtual void on_interest_changed(bool wants_write) = 0;
};

class KeeperClient {
 public:
  // Takes the descriptor named by kLinkVariable out of the environment (and removes the variable, so that nobody else
  // finds it). errc::wrong_state if this process was not started by a keeper.
  static Result<unique_fd> take_link_from_environment();

  // `link` is the engine's end; `events` must outlive the client.
  KeeperClient(unique_fd link, KeeperEvents& events);
  ~KeeperClient();
  KeeperClient(const KeeperClient&) = delete;

  int fd() const noexcept { return link_.fd(); }  // -1 after on_link_lost
  bool wants_write() const noexcept { return link_.wants_write(); }
  void on_readable();
  void on_writable();

  // Requests. Never block. errc::exhausted if the outgoing queue is full (kMaxQueuedMessages, kMaxQueuedBytes),
  // errc::wrong_state if the link is lost, errc::invalid_argument if the message could never be encoded.
  Status spawn(SpawnSpec spec);
  Status signal(const ProcessKey& key, int signal_number, SignalTarget to);
  Status set_stop_plan(const ProcessKey& key, const StopPlan& plan);
  Status close(const ProcessKey& key, ChannelEnd end);
  Status forget(const ProcessKey& key);
  // The descriptors travel as duplicates; the caller's stay the caller's.
  Status put(std::string key, std::string bytes, const std::vector<int>& descriptors = {});
  Status erase(std::string key);
  Status name_main_process(const ProcessKey& key, pid_t pid);
  Status listen(ListenSpec spec);
  Status unlisten(std::string name);
  Status set_shutdown_bound(std::chrono::milliseconds bound);
  Status log_as(log::Level level, log::Format format);
  Status stopping(int exit_code);
  Status quit(int exit_code);
  Status works();
  Status upgrade(std::string binary);

  // At the begin of each turn of the caller's loop: a turn that does not end is a hang.
  void enter_turn(MonotonicTime now);

  // Shared with the keeper; null before the Hello. Valid as long as the client.
  VitalsPage* vitals() noexcept { return vitals_.get(); }
  BreadcrumbPage* breadcrumbs() noexcept { return breadcrumbs_.get(); }

 private:
  enum class State : std::uint8_t { greeting, adopting, live, lost };
  struct Delivery;

  Status send(Message message);
  void handle(Message message);
  Status greet(Hello hello);
  void deliver(Message message);
  void kill_every_group() noexcept;
  void lose(Error why);
  void note_interest();

  Link link_;
  KeeperEvents& events_;
  State state_ = State::greeting;
  bool announced_interest_ = false;
  std::unique_ptr<Adoption> adoption_;  // while adopting
  std::map<ProcessKey, std::int32_t> running_;  // pid of each child not known to have exited
  std::string run_;                             // of the keeper, from its Hello
  std::vector<std::string> cgroups_;
  MappedPage<VitalsPage> vitals_;
  MappedPage<BreadcrumbPage> breadcrumbs_;
};

}  // namespace tenon::keeper
