// The keeper's state and its one loop; see keeper.hpp for the model.
#pragma once

#include <memory>
#include <optional>

#include "keeper/engine_session.hpp"
#include "keeper/host_process.hpp"
#include "keeper/keeper.hpp"
#include "keeper/orphans.hpp"
#include "keeper/poller.hpp"
#include "keeper/reaper.hpp"
#include "keeper/shutdown_plan.hpp"
#include "keeper/unavailable_server.hpp"

namespace tenon::keeper {

class KeeperCore {
 public:
  KeeperCore(const KeeperOptions& options, HostProcess host, Poller poller, unique_fd breadcrumbs);
  int run();

 private:
  enum class Phase : std::uint8_t {
    running,   // engine and children live their lives
    asked,     // the engine was asked, or has decided, to stop everything, within stop_deadline_
    stopping,  // the keeper follows the plan
    ending,    // no child is left; the engine has until end_deadline_
  };

  struct Handler;

  // keeper_core.cpp: the loop, signals, children, stopping
  void turn();
  MonotonicTime next_deadline() const;
  void on_signals();
  void on_stop_signal();
  void on_quit_signal();
  void await_stop(int exit_code);
  void on_child_signal(pid_t told);
  void on_reload_signal();
  void reap();
  bool reap_next(pid_t which);
  void on_child_exit(Child& child, ExitReport report);
  void advance();
  void advance_stop();
  void begin_stop(int exit_code);
  void begin_end();
  void signal_groups(const std::vector<ShutdownPlan::Action>& actions);

  // keeper_family.cpp: a process and all that it started
  void signal_family(Child& child, int signal_number);
  bool kill_remains(const Child& child);
  void finish_exit(Child& child);
  void look_at_lingering();
  void leave_group(const std::string& id);
  void note_memory_kill(Child& child, ExitReport& report);
  void look_for_orphans();
  bool kill_strangers();

  // keeper_main_process.cpp: a process that goes on as another
  void handle_main_process(const MainProcess& named);
  std::string name_successor(Child& child, pid_t pid);
  enum class Succession : std::uint8_t { none, open, settled };
  Succession succession(Child& child);
  void hear_of_successor(Child& child);
  void hand_over(Child& child);
  int signal_main_process(Child& child, int signal_number);
  void signal_members(const Child& child, int signal_number);

  // keeper_engine.cpp: the engine's comings and goings
  void start_engine();
  void on_engine_exit(const ExitReport& report);
  void kill_transients();
  void watch_link();
  void on_link(const Poller::Event& event);
  static constexpr int kAllRequests = INT32_MAX;  // as many as the socket holds
  void read_requests(int limit);
  void serve_unavailable();

  // keeper_upgrade.cpp: an engine of another binary, on trial
  void handle_upgrade(const UpgradeRequest& request);
  void note_works();
  bool upgrade_on_engine_exit(const std::string& how);
  void advance_upgrade();
  void roll_back(const std::string& why);

  // keeper_requests.cpp: what engines ask for
  void handle(Message request);
  void handle_spawn(SpawnRequest request);
  Result<std::vector<int>> open_sockets(const SpawnSpec& spec);
  SpawnOutcome spawn_in_group(const SpawnSpec& spec, Cgroups::Membership& membership, const std::vector<int>& sockets);
  void handle_signal(const SignalRequest& request);
  void handle_close(const CloseRequest& request);
  void handle_forget(const Forget& request);
  void handle_listen(const ListenRequest& request);
  void tell(Message message) {
    if (engine_) engine_->tell(std::move(message), now_);
  }
  void answer_spawned(Child& child);

  const KeeperOptions& options_;
  SystemClock clock_;
  HostProcess host_;
  std::string run_;  // of this keeper, in the cookies of what it starts
  Cgroups cgroups_;
  Spawner spawner_;
  Poller poller_;
  UnavailableServer unavailable_;
  unique_fd breadcrumbs_;
  Holdings holdings_;

  MonotonicTime now_;           // of this turn
  MonotonicTime awake_since_;   // see judge()
  MonotonicTime started_;
  WallTime started_wall_;
  Phase phase_ = Phase::running;
  int exit_code_ = 0;
  int stop_exit_code_ = 0;  // the host's, if the stop that is asked ends as it should
  int stop_signals_ = 0;
  bool reload_pending_ = false;
  bool succession_open_ = false;  // a zombie waits for its successor
  std::optional<MonotonicTime> reap_at_;  // when to look for dead children; empty: at their next signal
  bool engine_killed_ = false;  // while ending
  std::chrono::milliseconds shutdown_bound_;
  MonotonicTime asked_at_, stop_deadline_, end_deadline_;
  struct Lingering {
    ProcessKey key;
    MonotonicTime until;
  };
  std::vector<Lingering> lingering_;            // exits that are told once all that the process started is dead too
  bool any_uncontained_ = false;                // a process was started without a group that holds all it starts
  OwnerSearch orphan_search_{run_};
  std::optional<MonotonicTime> orphans_due_;    // when to look for what ended processes have left behind
  std::optional<MonotonicTime> strangers_end_;  // until when the end waits for what is left
  bool inherited_children_;                     // this process had some before it was a keeper
  ShutdownPlan plan_;

  enum class Upgrade : std::uint8_t {
    none,
    leaving,  // the engine was told to leave; until upgrade_deadline_
    trying,   // one of candidate_ runs; until upgrade_deadline_
  };
  Upgrade upgrade_ = Upgrade::none;
  unique_fd candidate_;
  MonotonicTime upgrade_deadline_;
  std::string upgrade_late_;  // why the one on trial was ended; empty: it was not
  std::uint64_t upgrades_ = 0;
  std::string upgrade_failure_;

  std::unique_ptr<EngineSession> engine_;
  EngineBackoff backoff_;
  std::uint64_t engines_ = 0;
  std::optional<MonotonicTime> start_engine_at_;
  std::optional<MonotonicTime> unavailable_at_;  // when to begin to answer 503; empty: an engine is live
  std::optional<ExitStatus> previous_exit_;
  bool previous_hung_ = false;
  std::int64_t engine_lost_ns_ = 0;
  std::uint32_t link_events_ = 0;  // what epoll waits for on the link
};

}  // namespace tenon::keeper
