// What a person sees of a process's state, with one meaning each, and the finer phase that the host acts by.
//
//   initializing  not ready: spawned and starting, or (no pid, with a reason) waiting for a dependency, a restart
//                 delay, a slot; or up and taken out of service by a readiness check
//   idle          ready, nothing in its hands
//   busy          ready, at least one delivered event not yet settled
//   paused        stopped by the operator (SIGSTOP, or a restart that is held back); its group goes on without it
//   error         gave up: restart budget spent, command not found, a failure that its policy does not restart
//   stopping      asked to stop, drain or grace running
//   terminated    ended on purpose: finished, or stopped by the operator; also what was never started
//
// The status is a function of (phase, paused, in service, in flight); nothing stores it but to see a change. Who wins:
// stopping over paused (a paused process is continued before it is stopped), paused over everything that has or wants a
// pid, a readiness check over what it has in its hands.
// What never happens: error or terminated become idle or busy without having been initializing; a process without a
// pid is idle or busy; a status changes to itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace tenon::runtime {

enum class ProcessStatus : std::uint8_t { initializing, idle, busy, paused, error, stopping, terminated };
std::string_view to_string(ProcessStatus status) noexcept;

enum class ProcessPhase : std::uint8_t {
  waiting = 0,     // no pid; to be started when a delay, a dependency or a supervisor says so
  spawning = 1,    // asked the launcher, no answer yet
  starting = 2,    // has a pid, not ready
  running = 3,     // ready once, by `ready.on`
  draining = 4,    // asked to stop; what is in flight may finish
  signalled = 5,   // got its stop signal; grace runs
  killed = 6,      // got SIGKILL; the kernel owes us the exit
  terminated = 7,  // ended on purpose
  error = 8,       // gave up
};
inline constexpr std::uint8_t kLastPhase = 8;
std::string_view to_string(ProcessPhase phase) noexcept;

constexpr bool is_stopping(ProcessPhase phase) noexcept {
  return phase == ProcessPhase::draining || phase == ProcessPhase::signalled || phase == ProcessPhase::killed;
}
constexpr bool is_ended(ProcessPhase phase) noexcept {
  return phase == ProcessPhase::terminated || phase == ProcessPhase::error;
}
// True from the request to spawn until the exit came.
constexpr bool may_have_pid(ProcessPhase phase) noexcept { return phase != ProcessPhase::waiting && !is_ended(phase); }

// `in_service`: no readiness check keeps it from its work; looked at while it runs.
ProcessStatus status_of(ProcessPhase phase, bool paused, bool in_service, std::uint32_t in_flight) noexcept;

// The transition tables. Every change that the ProcessManager makes is asserted against them.
bool may_follow(ProcessPhase from, ProcessPhase to) noexcept;
bool may_follow(ProcessStatus from, ProcessStatus to) noexcept;

}  // namespace tenon::runtime
