// All modules of the engine, made and wired for one checked config.
//
// The model. A Host is made (nothing runs), then prepared and started, then stopped once. The first of a keeper's
// life reads what the config names, and what is wrong with that is an error. One that takes over from an earlier
// engine gets it from the keeper (plugins, schemas), adopts first of all, and answers what is wrong by doing without
// it: a transport that cannot be made, a directory that is gone, a serializer that crashed but that the host cannot
// do without.
//
// It holds the modules in the order of their dependencies, so they go in the reverse one; the small interfaces
// through which modules call upwards (askers, workers' signals, plugins' wishes) end here.
//
// All [loop].
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/schema_texts.hpp"
#include "common/metrics.hpp"
#include "event/loop.hpp"
#include "event/worker_pool.hpp"
#include "integration/askers.hpp"
#include "integration/call_tracer.hpp"
#include "integration/command_runner.hpp"
#include "integration/dead_letter_desk.hpp"
#include "integration/event_validation.hpp"
#include "integration/host_config.hpp"
#include "integration/keeper_bridge.hpp"
#include "integration/keeper_store.hpp"
#include "integration/plugin_events.hpp"
#include "integration/plugin_health_check.hpp"
#include "integration/plugin_restart_policy.hpp"
#include "integration/plugin_serializer.hpp"
#include "integration/process_events.hpp"
#include "integration/system_events.hpp"
#include "integration/transport_hub.hpp"
#include "integration/worker_hub.hpp"
#include "keeper/keeper_client.hpp"
#include "loader/content_digest.hpp"
#include "loader/plugin_loader.hpp"
#include "loader/quarantine.hpp"
#include "message/router.hpp"
#include "runtime/log_capture.hpp"
#include "runtime/process_manager.hpp"
#include "runtime/supervision_tree.hpp"

namespace tenon::app {

struct HostCallbacks {
  std::function<void()> all_stopped;
  std::function<void(int exit_code, const std::string& reason)> must_end;
};

class Host final : private integration::WorkerHubEvents,
                   private integration::PluginEnvironment,
                   private message::RouterEvents {
 public:
  // `engine`: the number of this engine. `safe_mode`: without plugins that are not the host's own (safe_mode.hpp). Loop and
  // client must outlive the host.
  Host(event::Loop& loop, keeper::KeeperClient& client, std::shared_ptr<const integration::HostConfig> config,
       std::uint64_t engine, bool safe_mode, HostCallbacks callbacks);
  ~Host() override;

  // Loads plugins and checks what only they can answer. An error of a first engine names what to mend; one of a
  // successor is worth another try. `first`: no engine of this keeper has started anything.
  Status prepare(keeper::Adoption& adoption, bool first);
  // Connects transports and starts every process, or takes over those that an earlier engine left.
  Status start(keeper::Adoption& adoption, bool first);
  // Another configuration from now on; only what differs changes. `schemas`: those of its directories, absent where
  // they are to stay as they are. Plugins, node and control are those of before: the caller has seen to it. `done` once,
  // with the outcomes of what was stopped or started. An error, as of SupervisionTree::reload or of a bad schema, leaves
  // everything as it was.
  Status reload(std::shared_ptr<const integration::HostConfig> fresh, std::optional<SchemaTexts> schemas,
                runtime::SupervisionTree::VerbDone done);
  // Of the schemas in force, for telling whether others differ.
  loader::Digest schemas_digest() const noexcept { return schemas_digest_; }

  // Stops processes in reverse order, then transports. Completion comes through HostCallbacks::all_stopped.
  void stop(Duration bound);

  integration::KeeperBridge& bridge() noexcept { return bridge_; }
  integration::PluginListeners& plugin_listeners() noexcept { return listeners_; }
  // After each turn: timeouts of messages are due at a new time, perhaps.
  void rearm_message_timer();

  // Brings up to date what nobody is told of when it changes: who is busy, and whom those who wait wait for. Before
  // anybody looks at a process.
  void refresh_processes();
  // Everything is done that --until-idle waits for.
  bool idle();
  // "a (exit code 1), b (…)": the first few in error and why; empty if none is.
  std::string failed_processes();
  std::size_t event_bytes() const noexcept { return budget_.used() + router_.all_parked_bytes(); }

  const integration::HostConfig& config() const noexcept { return *config_; }
  event::Loop& loop() noexcept { return loop_; }
  keeper::KeeperClient& client() noexcept { return client_; }
  metrics::Registry& metrics() noexcept { return metrics_; }
  event::WorkerPool& worker_pool() noexcept { return *worker_pool_; }
  loader::PluginLoader& plugins() noexcept { return loader_; }
  integration::PluginSerializers& serializers() noexcept { return serializers_; }
  message::EventBudget& budget() noexcept { return budget_; }
  message::MessageRouter& router() noexcept { return router_; }
  message::Intake& intake() noexcept { return intake_; }
  integration::DeadLetterDesk& dead_letters() noexcept { return dead_letters_; }
  integration::SystemEvents& system_events() noexcept { return system_events_; }
  integration::EventValidation& validation() noexcept { return validation_; }
  integration::Askers& askers() noexcept { return askers_; }
  integration::WorkerHub& workers() noexcept { return hub_; }
  integration::TransportHub& transports() noexcept { return transports_; }
  runtime::LogCapture& logs() noexcept { return logs_; }
  runtime::ProcessManager& processes() noexcept { return manager_; }
  bool safe_mode() const noexcept { return safe_mode_; }
  runtime::SupervisionTree& tree() noexcept { return tree_; }

  Status process_usage(std::string_view id, tenon_usage& out) override;

 private:
  Status configure_workers();
  void close_socket(std::string name);
  void refresh_in_flight();
  void reconfigure_workers(const integration::HostConfig& former);
  void keep_schemas(const SchemaTexts& texts);
  void announce(const runtime::ProcessHandle& process);  // its status, to its messages' gate
  void report_crash(const keeper::Adoption& adoption);
  Status load_plugins(keeper::Adoption& adoption, bool first);
  bool tolerate_serializer(const std::string& name);
  Status load_schemas(const keeper::Adoption& adoption, bool first);
  void take_log_journal(keeper::Adoption& adoption);
  void adopt_processes(keeper::Adoption& adoption);
  std::map<std::string, std::string> adopt_channels(keeper::Adoption& adoption, const runtime::TreeAdoption& former);
  void end_stranger(const keeper::ProcessKey& key, const keeper::StopPlan& stop);
  void isolate_culprits();
  // `active`: of an alert that ends by itself, whether it begins.
  void alert(std::string_view name, std::string_view subject, const std::string& reason,
             std::optional<bool> active = {});
  void report_undelivered();
  void message_timer_due();

  // integration::WorkerHubEvents
  void on_worker_ready(const std::string& id, std::uint64_t generation) override;
  void on_worker_status(const std::string& id, std::string_view text) override;
  void on_worker_log(const std::string& id, std::string_view line) override;
  void on_worker_broken(const std::string& id, std::uint64_t generation, const std::string& why) override;
  void keep_channel_memory(const std::string& id, std::uint64_t generation, int fd) override;
  void keep_subscriptions(const std::string& id, std::string text) override;

  // integration::PluginEnvironment
  Result<std::uint64_t> run_command(integration::CommandRequest request,
                                    std::function<void(integration::CommandOutcome)> done) override;
  void cancel_command(std::uint64_t command) override;
  Result<MonotonicTime> last_control_message(std::string_view id, std::string_view type) override;
  Status transport_round_trip(std::string_view transport, MonotonicTime deadline,
                              std::function<void(Status)> done) override;
  Result<std::uint64_t> listen(std::string path, std::function<void(Result<int>)> done) override;
  void release_listener(std::uint64_t listener) override { listeners_.release(listener); }
  void plugin_misbehaved(const integration::PluginMisbehaviour& told) override { plugin_events_.on_misbehaved(told); }

  // message::RouterEvents
  void answer_for(std::uint64_t asker_token, const message::Event& answer) override;
  void request_timed_out(const message::PendingRequest& request) override;
  void sender_released(message::ReceiverId sender) override;
  void event_limit_reached(bool reached) override;

  event::Loop& loop_;
  keeper::KeeperClient& client_;
  std::shared_ptr<const integration::HostConfig> config_;
  bool safe_mode_;
  HostCallbacks callbacks_;

  metrics::Registry metrics_;
  integration::CallTracer tracer_;
  std::unique_ptr<event::WorkerPool> worker_pool_;
  integration::PluginServices plugin_services_;
  loader::Quarantine quarantine_;
  loader::PluginLoader loader_;
  integration::PluginSerializers serializers_;

  message::EventBudget budget_;
  integration::DeadLetterDesk dead_letters_;
  message::MessageRouter router_;
  message::Intake intake_;
  integration::SystemEvents system_events_;
  std::unique_ptr<message::MessageSerializer> json_;
  integration::EventValidation validation_;
  integration::Askers askers_;
  integration::PluginEvents plugin_events_;

  integration::KeeperStore store_;
  integration::KeeperBridge bridge_;
  integration::CommandRunner commands_;
  integration::PluginListeners listeners_;
  integration::ProcessSockets sockets_;
  integration::PluginRestartPolicies policies_;
  integration::PluginHealthChecks checks_;
  runtime::LogCapture logs_;
  integration::WorkerHub hub_;
  integration::ProcessEvents process_events_;
  runtime::ProcessManager manager_;
  integration::NotifyHub notify_;
  runtime::SupervisionTree tree_;
  integration::TransportHub transports_;

  loader::Digest schemas_digest_{};
  std::vector<keeper::Breadcrumb> condemned_;  // in which the engine before died, so that the file was quarantined
  std::vector<keeper::Breadcrumb> culprits_;   // of those, in a serializer that must be used none the less

  event::Handle unclaimed_timer_;
  std::vector<event::Handle> stranger_timers_;  // SIGKILL for those that a removed part of the config left
  event::Handle message_timer_;
  MonotonicTime message_timer_at_ = MonotonicTime::max();
};

}  // namespace tenon::app
