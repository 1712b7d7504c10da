// Between the keeper and everything that has to do with processes: spawn requests one way, descriptors and exits the
// other; and the listening sockets of plugins, which go the same ways.
//
// The model. The runtime asks for processes through ProcessLauncher; each request becomes a message of the keeper link. What
// the keeper answers goes, in this order, to whoever needs it first: at a spawn the channel and the log before the runtime,
// so that a process that counts as ready can be written to; at an exit the channel before the runtime, so that what the
// process said last is routed before its end is known.
//
// Ids that begin with '@' are commands of the engine (command_runner.hpp) and unknown to the runtime.
//
// All [loop].
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "event/loop.hpp"
#include "integration/command_runner.hpp"
#include "integration/keeper_store.hpp"
#include "integration/notify_hub.hpp"
#include "integration/plugin_listeners.hpp"
#include "integration/process_sockets.hpp"
#include "integration/worker_hub.hpp"
#include "keeper/keeper_client.hpp"
#include "runtime/log_capture.hpp"
#include "runtime/process_launcher.hpp"
#include "runtime/process_manager.hpp"

namespace tenon::integration {

// Sends over the client, which must outlive the store.
KeeperStore::Link store_link(keeper::KeeperClient& client);

class KeeperBridge final : public runtime::ProcessLauncher, public CommandLauncher, public ListenerKeeper {
 public:
  KeeperBridge(keeper::KeeperClient& client, KeeperStore& store) : client_(client), store_(store) {}
  // Before the first answer of the keeper is passed on. All outlive the bridge's use.
  void connect(runtime::ProcessManager& manager, WorkerHub& hub, NotifyHub& notify, ProcessSockets& sockets,
               runtime::LogCapture& logs, CommandRunner& commands) {
    manager_ = &manager, hub_ = &hub, notify_ = &notify, sockets_ = &sockets, logs_ = &logs, commands_ = &commands;
  }
  // Of the processes without a channel that are spawned from here on: stdout and stderr by one pipe, as stdout.
  void share_outputs(bool share) { share_outputs_ = share; }

  // From the keeper.
  void on_spawned(keeper::Spawned spawned);
  void on_spawn_failed(const keeper::SpawnFailed& failure);
  void on_exited(const keeper::Exited& exited);
  void on_handed_over(const keeper::HandedOver& handed);
  void on_main_process_refused(const keeper::MainProcessRefused& refused);
  // A child that an earlier engine left running: its channel (with the memory kept for it) and its log. An error means that
  // it has to be restarted.
  Status adopt(keeper::AdoptedChild& child, unique_fd channel_memory, std::string_view subscriptions);

  // For the notify hub.
  void name_main_process(const std::string& id, std::uint64_t generation, pid_t pid);

  // runtime::ProcessLauncher
  Status spawn(const runtime::ProcessConfig& config, std::uint64_t generation, const runtime::StopPlan& stop) override;
  Status signal(const runtime::ProcessId& id, std::uint64_t generation, int signal_number, bool whole_group) override;
  Status set_stop_plan(const runtime::ProcessId& id, std::uint64_t generation, const runtime::StopPlan& stop) override;
  void forget(const runtime::ProcessId& id, std::uint64_t generation) override;
  void save_label(std::string_view key, std::string bytes) override;
  void drop_label(std::string_view key) override;

  // CommandLauncher
  Status spawn_command(keeper::SpawnSpec spec) override;
  void kill_command(const keeper::ProcessKey& key) override;
  void forget_command(const keeper::ProcessKey& key) override;

  // ListenerKeeper
  Status keep_listening(keeper::ListenSpec spec) override;
  Status stop_listening(std::string name) override;

  // Keys of the stash. A label's key begins with kLabelPrefix.
  static constexpr std::string_view kLabelPrefix = "label/";
  static std::string channel_key(std::string_view id) { return "channel/" + std::string(id); }
  void keep_channel_memory(const std::string& id, int fd);

 private:
  void listen_to(const keeper::ProcessKey& key, unique_fd socket, pid_t pid);
  Status open_worker(const keeper::ProcessKey& key, keeper::ChildDescriptors descriptors, keeper::ChannelKind kind,
                     unique_fd memory, std::string_view subscriptions);

  keeper::KeeperClient& client_;
  KeeperStore& store_;
  runtime::ProcessManager* manager_ = nullptr;
  WorkerHub* hub_ = nullptr;
  NotifyHub* notify_ = nullptr;
  ProcessSockets* sockets_ = nullptr;
  runtime::LogCapture* logs_ = nullptr;
  CommandRunner* commands_ = nullptr;
  bool share_outputs_ = false;
};

}  // namespace tenon::integration
