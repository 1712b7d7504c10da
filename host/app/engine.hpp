// The engine's process: the keeper link, the host on it, and how both begin and end.
//
// The model. An engine is *greeting* until the keeper has told what it holds, then *running*, then *stopping* (asked
// by a signal, by an operator, by --for, --until-idle, or because the root supervisor gave up; the keeper is told,
// and finishes the stop of an engine that dies in it), and ends by telling the keeper the exit code of the host. An
// engine that loses its link exits; the keeper, if it lives, starts the next.
//
// What cannot start at all (a bad config) ends the host at once, with what to mend on stderr, but only as long as no
// engine of this keeper has started anything. A later engine never ends the host for what it meets when it takes
// over: it does without, or exits and leaves the processes to the engine after it.
//
// What runs is kept with the keeper (config, plugins, schemas, token): a restarted engine needs nothing from the disk.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/host.hpp"
#include "app/host_view.hpp"
#include "app/kept_bytes.hpp"
#include "app/reloader.hpp"
#include "app/run_options.hpp"
#include "control/control_server.hpp"
#include "event/loop.hpp"
#include "keeper/keeper_client.hpp"

namespace tenon::app {

// The main function of `tenon engine`, started by the keeper only. Returns an exit code if it cannot begin; ends the
// process itself otherwise.
int run_engine();

class Engine final : private keeper::KeeperEvents, private event::TurnObserver {
 public:
  Engine(event::Loop& loop, unique_fd link);
  ~Engine() override;

  // Runs until the link is lost or the host has ended.
  int run();

 private:
  enum class Phase : std::uint8_t { greeting, running, stopping, ended };

  // keeper::KeeperEvents
  void on_adopted(keeper::Adoption adoption) override;
  void on_spawned(keeper::Spawned spawned) override;
  void on_spawn_failed(keeper::SpawnFailed failure) override;
  void on_exited(keeper::Exited exited) override;
  void on_closed(keeper::Closed) override {}
  void on_listening(keeper::Listening listening) override;
  void on_listen_failed(keeper::ListenFailed failure) override;
  void on_shutdown_requested(keeper::ShutdownRequested request) override;
  void on_reload_requested() override;
  void on_signal_failed(keeper::SignalFailed failed) override;
  void on_handed_over(keeper::HandedOver handed) override;
  void on_main_process_refused(keeper::MainProcessRefused refused) override;
  void on_stash_refused(keeper::StashRefused refused) override;
  void on_leave() override;
  void on_upgrade_refused(keeper::UpgradeRefused refused) override;
  void on_link_lost(const Error& why) override;
  void on_interest_changed(bool wants_write) override;

  // event::TurnObserver
  void turn_began() noexcept override;
  void turn_ended() noexcept override;

  Status begin(keeper::Adoption& adoption);
  Status load_token(const keeper::Adoption& adoption, const integration::HostConfig& config);
  void fail(const Error& why);
  Result<std::shared_ptr<const integration::HostConfig>> load(keeper::Adoption& adoption);
  Status listen();
  void serve(const std::string& name, unique_fd socket);
  void start_host();
  void look_whether_idle();
  Status upgrade();
  void leave_if_flushed();
  // `advice`: what the operator is to do about a reason that is a failure; said last, on stderr.
  void stop(std::string reason, int exit_code, std::string_view advice = {});
  void end(int exit_code);

  event::Loop& loop_;
  keeper::KeeperClient client_;
  std::unique_ptr<event::FdWatch> link_watch_;
  Phase phase_ = Phase::greeting;
  int exit_code_ = 0;
  std::string last_words_;  // a sentence for stderr; empty: nothing failed
  bool first_ = true;  // no engine of this keeper has started anything yet
  std::string token_;  // of the TCP listener
  RunOptions options_;
  KeptBytes sources_;  // of the config in force
  bool upgrade_asked_ = false;
  bool leaving_ = false;  // another binary's engine follows, as soon as all that is queued has gone to the keeper
  bool trimmed_ = false;  // what only the start needed has been given back to the kernel
  Scales scales_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<HostView> view_;
  std::unique_ptr<control::ControlServer> server_;
  event::Handle end_timer_;
  keeper::Adoption adoption_;                          // between begin() and start_host()
  std::vector<keeper::ListenSpec> wanted_listeners_;   // not listening yet
  unsigned idle_looks_ = 0;                            // in a row that found the host idle
  event::Handle idle_timer_;
};

}  // namespace tenon::app
