// What the runtime asks of whoever holds the processes (the keeper, through integration).
//
// The model. Requests never block and keep their order. Every spawn is answered by exactly one call of
// ProcessManager::on_spawned or ::on_spawn_failed, and every spawned process by exactly one ::on_exited, in a later
// turn of the loop. A process is named by (id, generation); a request for one that has exited does nothing. A returned
// error means that the request was not taken (the link is lost or full); nothing will answer it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "runtime/process_config.hpp"

namespace tenon::runtime {

// How the keeper stops a process when there is no engine: signal to the group, grace, SIGKILL. Highest rank first.
struct StopPlan {
  int signal = 0;
  Duration grace{0};
  std::uint32_t rank = 0;
};

class ProcessLauncher {
 public:
  virtual ~ProcessLauncher() = default;

  // Idempotent by (config.id, generation).
  virtual Status spawn(const ProcessConfig& config, std::uint64_t generation, const StopPlan& stop) = 0;
  // To the process, or to everything it started. What an exited process left behind in its group is gone before its
  // exit is told; that is the launcher's part.
  virtual Status signal(const ProcessId& id, std::uint64_t generation, int signal_number, bool whole_group) = 0;
  virtual Status set_stop_plan(const ProcessId& id, std::uint64_t generation, const StopPlan& stop) = 0;
  // The exit was taken note of, and the label says so: do not tell it to a successor.
  virtual void forget(const ProcessId& id, std::uint64_t generation) = 0;

  // Keeps `bytes` under `key` for a successor, replacing what was there. Keys are process ids, and kSupervisorKeyPrefix
  // with a supervisor's id.
  virtual void save_label(std::string_view key, std::string bytes) = 0;
  virtual void drop_label(std::string_view key) = 0;
};

inline constexpr std::string_view kSupervisorKeyPrefix = "supervisor:";

}  // namespace tenon::runtime
