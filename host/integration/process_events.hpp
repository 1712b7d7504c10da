// What happens to processes, told to everybody: gates of the router, their sockets, system.process.* and system.health.*
// events, the log.
#pragma once

#include <functional>
#include <string>

#include "integration/process_sockets.hpp"
#include "integration/system_events.hpp"
#include "integration/worker_hub.hpp"
#include "runtime/runtime_observer.hpp"

namespace tenon::integration {

class ProcessEvents final : public runtime::RuntimeObserver {
 public:
  using HostMustEnd = std::function<void(int exit_code, const std::string& reason)>;
  ProcessEvents(SystemEvents& events, WorkerHub& hub, ProcessSockets& sockets, HostMustEnd host_must_end)
      : events_(events), hub_(hub), sockets_(sockets), host_must_end_(std::move(host_must_end)) {}

  void on_status_changed(const runtime::ProcessHandle& process, runtime::ProcessStatus old_status) override;
  void on_starting(const runtime::ProcessHandle& process) override;
  void on_ready(const runtime::ProcessHandle& process) override;
  void on_exited(const runtime::ProcessHandle& process, const runtime::ExitRecord& exit) override;
  void on_restarting(const runtime::ProcessHandle& process, const runtime::RestartNotice& notice) override;
  void on_failed(const runtime::ProcessHandle& process) override;
  void on_stopped(const runtime::ProcessHandle& process) override;
  void on_health_changed(const runtime::ProcessHandle& process, const runtime::HealthChange& change) override;
  void on_policy_misbehaved(const runtime::ProcessHandle& process, const std::string& component,
                            const Error& what) override;
  void on_supervisor_escalated(const std::string& supervisor, const std::string& reason) override;
  void on_supervisor_stopped(const std::string& supervisor, const std::string& reason) override;
  void on_host_must_end(int exit_code, const std::string& reason) override { host_must_end_(exit_code, reason); }

 private:
  SystemEvents& events_;
  WorkerHub& hub_;
  ProcessSockets& sockets_;
  HostMustEnd host_must_end_;
};

}  // namespace tenon::integration
