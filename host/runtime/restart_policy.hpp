// Restart policies as the runtime sees them: the C table of the plugin ABI in C++ types.
//
// A policy is a pure function without memory, clock or I/O of its own: what it must remember goes through PolicyMemory,
// which the host keeps per process and persists. So one instance serves all processes with the same name and config.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "runtime/exit_record.hpp"
#include "runtime/process_label.hpp"

namespace tenon::runtime {

struct ExitInfo {
  EndCause ended = EndCause::code;
  int value = 0;  // exit code, signal number or errno; with health and startup 0
  bool was_ready = false;
  Duration run_time{0};
  Duration ready_time{0};            // 0 if it never was ready
  std::uint32_t consecutive = 0;     // restarts since a decision last said `reset`, before this exit
  std::uint32_t total_restarts = 0;  // since the host started or an operator reset the process
  Duration previous_delay{0};
  std::uint64_t random = 0;          // 64 uniform bits for jitter
  PolicyMemory memory{};
};

// The numbers are those of the plugin ABI (TENON_RESTART_…).
enum class RestartAction : std::uint8_t { restart = 0, finished = 1, give_up = 2, escalate = 3 };

struct RestartDecision {
  RestartAction action = RestartAction::restart;
  Duration delay{0};   // with restart; the manager caps it at kMaxRestartDelay
  bool reset = false;  // the run was stable: `consecutive` starts again at 0
  std::string text;    // what the operator should know beyond exit, number and delay; mostly empty
  PolicyMemory memory{};
};
inline constexpr Duration kMaxRestartDelay = std::chrono::hours(24);

class RestartPolicy {
 public:
  virtual ~RestartPolicy() = default;
  // An error, a negative delay or an action out of range counts as misbehaviour; a built-in back-off then stands in.
  virtual Result<RestartDecision> decide(const ExitInfo& exit) = 0;
  virtual void on_ready(Duration start_to_ready, PolicyMemory& memory) { (void)start_to_ready, (void)memory; }
  // An operator asked for a fresh start; memory and counts are zero.
  virtual void reset(PolicyMemory& memory) { (void)memory; }
};

// Why a process has the status that the decision gives it: "exit code 3", with what the policy adds: "exit code 3;
// outside working hours".
std::string reason_of(const ExitRecord& exit, const RestartDecision& decision);

class RestartPolicyFactory {
 public:
  virtual ~RestartPolicyFactory() = default;
  // errc::not_found if no plugin offers it (asked again at the next exit: it may be loaded by then).
  virtual Result<std::unique_ptr<RestartPolicy>> make(const std::string& name, const std::string& config_json) = 0;
};

}  // namespace tenon::runtime
