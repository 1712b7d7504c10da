// One process as the host knows it: what runs, how it came to that, and what the operator wants of it.
//
// Owned and changed by the ProcessManager alone; everybody else reads it through a const pointer that is valid until
// the process is removed. [loop]
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

#include "common/clock.hpp"
#include "runtime/exit_record.hpp"
#include "runtime/health_check.hpp"
#include "runtime/process_config.hpp"
#include "runtime/process_label.hpp"
#include "runtime/process_status.hpp"

namespace tenon::runtime {

// One automatic restart: why, and how long it waited.
struct RestartRecord {
  std::uint64_t generation = 0;  // the one that ended
  MonotonicTime at{};            // when it was decided
  Duration delay{0};
  std::string reason;            // "exit code 3"
};

struct ProcessHandle {
  static constexpr std::size_t kHistory = 20;

  std::shared_ptr<const ProcessConfig> config;  // never null
  std::string supervisor;                       // id of the supervisor it belongs to; empty: none

  ProcessPhase phase = ProcessPhase::terminated;
  ProcessStatus status = ProcessStatus::terminated;
  std::string reason;  // why it has this status: "restart 4 of 5 in 10 s, next in 800 ms: exit code 3"; may be empty
  Desired desired = Desired::up;

  std::uint64_t generation = 0;    // counts the starts; 0: never started
  std::optional<pid_t> pid;        // empty: nothing of it runs
  MonotonicTime spawned{};         // of this generation; epoch: never
  MonotonicTime ready{};           // epoch: not ready
  MonotonicTime due{};             // the deadline of the phase (next restart, readiness, drain, SIGKILL); epoch: none
  std::uint32_t in_flight = 0;
  std::uint32_t total_restarts = 0;
  std::uint32_t consecutive = 0;
  std::unique_ptr<ExitRecord> last_exit;                // null: none so far
  std::unique_ptr<std::deque<RestartRecord>> history;  // the last kHistory, oldest first; null: none so far
  std::string worker_status;       // what the worker said of itself; cut to 256 bytes

  // The worst of its checks; empty: it has none, or none has answered yet.
  std::optional<HealthStatus> health;
  // What its readiness checks say: "not ready: http: status 503". Empty: in service as far as they are concerned.
  std::string not_ready;

  const ProcessId& id() const noexcept { return config->id; }
  bool is_ready() const noexcept { return phase == ProcessPhase::running && not_ready.empty(); }
  bool paused() const noexcept { return desired == Desired::paused; }
};

}  // namespace tenon::runtime
