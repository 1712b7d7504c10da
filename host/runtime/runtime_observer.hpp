// How changes leave the runtime: each becomes a system.* event, a log line or a metric elsewhere.
//
// Called in the order in which things happen, after the handle shows the new state. An observer may read, and may call
// ProcessManager::set_in_flight, ::notify_ready and ::set_worker_status; everything else it posts to the loop. [loop]
#pragma once

#include <cstdint>
#include <string>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "runtime/process_handle.hpp"

namespace tenon::runtime {

struct RestartNotice {
  Duration delay{0};
  std::string reason;          // why the last one ended, and the policy's text
  std::uint32_t attempt = 0;   // restart number n …
  std::uint32_t limit = 0;     // … of m
  Duration period{0};          // within this long; attempt, limit and period are 0 where no budget applies
};

struct HealthChange {
  std::string check;  // name of the check
  HealthRole role = HealthRole::liveness;
  HealthStatus now;
};

class RuntimeObserver {
 public:
  virtual ~RuntimeObserver() = default;

  virtual void on_status_changed(const ProcessHandle& process, ProcessStatus old_status) {
    (void)process, (void)old_status;
  }
  virtual void on_starting(const ProcessHandle& process) { (void)process; }  // pid and generation are known
  virtual void on_ready(const ProcessHandle& process) { (void)process; }
  virtual void on_exited(const ProcessHandle& process, const ExitRecord& exit) { (void)process, (void)exit; }
  virtual void on_restarting(const ProcessHandle& process, const RestartNotice& notice) {
    (void)process, (void)notice;
  }
  virtual void on_failed(const ProcessHandle& process) { (void)process; }   // error; handle.reason says why
  virtual void on_stopped(const ProcessHandle& process) { (void)process; }  // terminated; handle.reason says why
  virtual void on_health_changed(const ProcessHandle& process, const HealthChange& change) {
    (void)process, (void)change;
  }
  // A restart policy or health check failed or answered nonsense; a stand-in took over. Counted against the plugin.
  virtual void on_policy_misbehaved(const ProcessHandle& process, const std::string& component, const Error& what) {
    (void)process, (void)component, (void)what;
  }
  virtual void on_supervisor_escalated(const std::string& supervisor, const std::string& reason) {
    (void)supervisor, (void)reason;
  }
  virtual void on_supervisor_stopped(const std::string& supervisor, const std::string& reason) {
    (void)supervisor, (void)reason;
  }
  // The root gave up: stop everything and end with this exit code.
  virtual void on_host_must_end(int exit_code, const std::string& reason) { (void)exit_code, (void)reason; }
};

}  // namespace tenon::runtime
