// What the engine leaves with the keeper about each process, so that its successor goes on where it was killed.
//
// The binary form begins with a version byte; numbers are little-endian and fixed-width, strings have a length before
// them, every length is checked against what is left and against a limit. A reader refuses what it does not know
// (another version, an enumerator out of range, bytes left over): the successor then treats the process as unlabelled,
// it does not guess. Times are CLOCK_MONOTONIC of this boot, so they survive the engine but not the machine, as do the
// processes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "runtime/process_status.hpp"

namespace tenon::runtime {

enum class Desired : std::uint8_t { up = 0, down = 1, paused = 2 };
std::string_view to_string(Desired desired) noexcept;

// What is to happen once a stop under way is over.
enum class AfterStop : std::uint8_t {
  stay_down = 0,  // operator's stop or the end of the host: terminated
  hold = 1,       // its supervisor stopped it and will say when to start again: waiting
  restart = 2,    // operator's restart: started at once, counted against nothing
  decide = 3,     // health or readiness failed: the restart policy is asked
};

using PolicyMemory = std::array<std::uint64_t, 4>;

struct ProcessLabel {
  static constexpr std::size_t kMaxBytes = 64 * 1024;
  static constexpr std::size_t kMaxExtra = 32 * 1024;
  static constexpr std::size_t kMaxReason = 512;
  static constexpr std::size_t kMaxWindow = 1024;

  std::string id;
  std::uint64_t generation = 0;
  Desired desired = Desired::up;
  ProcessPhase phase = ProcessPhase::waiting;
  AfterStop after_stop = AfterStop::stay_down;
  bool held = false;           // waiting for its supervisor, not for a time
  bool signal_unsent = false;  // the signal that this state means may not have been sent
  bool started_up = false;     // its startup checks have succeeded, or it had none
  std::uint8_t end_cause = 0;  // EndCause of a stop with AfterStop::decide
  std::string reason;          // as shown with the status
  std::string not_ready;       // ProcessHandle::not_ready
  MonotonicTime spawned{};     // of this generation; epoch: never
  MonotonicTime ready{};       // epoch: not ready
  // The one deadline of the phase: restart (waiting), readiness (starting), drain, SIGKILL. Epoch: none.
  MonotonicTime due{};
  Duration time_left{-1};      // while paused: what was left until `due`; negative: no deadline
  std::vector<MonotonicTime> window;  // its restarts within the supervisor's period, oldest first
  std::uint32_t consecutive = 0;
  std::uint32_t total_restarts = 0;
  Duration previous_delay{0};
  PolicyMemory memory{};
  std::uint64_t start_digest = 0;  // of the config that this generation was started with
  std::uint64_t passed_over = 0;   // of the config that a reload did not bring because it was paused
  std::string extra;           // opaque: what integration must know again (subscriptions, cursor …)

  std::string encode() const;  // cuts texts and window to their limits; requires extra.size() <= kMaxExtra
  static Result<ProcessLabel> decode(std::string_view bytes);  // errc::bad_data
  bool operator==(const ProcessLabel&) const = default;
};

// The same for a supervisor: its failures at the parent, and whether it gave up.
struct SupervisorLabel {
  static constexpr std::size_t kMaxFailures = 1024;
  enum class State : std::uint8_t { running = 0, restarting = 1, escalating = 2, failed = 3, stopped = 4 };

  std::string id;
  State state = State::running;
  MonotonicTime due{};                  // restarting: not before; epoch: none
  std::vector<MonotonicTime> failures;  // within the parent's period, oldest first
  std::string reason;

  std::string encode() const;
  static Result<SupervisorLabel> decode(std::string_view bytes);
  bool operator==(const SupervisorLabel&) const = default;
};

}  // namespace tenon::runtime
