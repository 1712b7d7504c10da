// How and why one incarnation of a process ended.
#pragma once

#include <cstdint>
#include <string>

#include "common/clock.hpp"
#include "common/exit_status.hpp"

namespace tenon::runtime {

// The numbers are those of the plugin ABI (TENON_ENDED_…).
enum class EndCause : std::uint8_t {
  code = 0,     // it exited by itself
  signal = 1,   // a signal that the host did not send for one of the reasons below
  spawn = 2,    // it never started
  health = 3,   // the host stopped it because a health check said so
  startup = 4,  // the host stopped it because it was not ready in time
  channel = 5,  // the host killed it because what it writes cannot be followed
};
inline constexpr std::uint8_t kLastEndCause = 5;

struct ResourceUsage {
  Duration user_cpu{0}, system_cpu{0};  // the process and the descendants it waited for
  std::uint64_t max_resident_bytes = 0;
  bool out_of_memory = false;  // killed by the kernel because its limit was reached
};

struct ExitRecord {
  EndCause cause = EndCause::code;
  ExitStatus status;       // meaningless with EndCause::spawn
  std::int64_t pid = 0;    // of the incarnation that ended; 0 where there was none or it is not known any more
  int spawn_error = 0;     // errno, with EndCause::spawn; 0 where no call failed
  std::string detail;      // spawn: "exec: No such file or directory"; health, startup, channel: what was wrong; of
                           // others often empty
  bool was_ready = false;
  MonotonicTime at{};      // when the host learnt of it
  Duration run_time{0};    // from spawn to exit; 0 with EndCause::spawn
  Duration ready_time{0};  // from ready to exit; 0 if it never was
  ResourceUsage usage;

  bool success() const noexcept { return cause == EndCause::code && status.success(); }
};

// "exit code 3", "signal 9 (KILL)", "could not start: exec: No such file or directory", "unhealthy: no heartbeat for
// 3 s", "not ready within 10 s".
std::string to_string(const ExitRecord& record);

// What waiting can mend and what it cannot, judged by the errno of a failed spawn.
enum class SpawnFailure : std::uint8_t {
  hopeless,   // the command or directory does not exist, may not be executed, is no program: `error` at once
  shortage,   // the machine is out of processes, memory or descriptors: tried again, counted against nobody
  undecided,  // anything else is the restart policy's to judge
};
SpawnFailure classify_spawn_failure(int error_number) noexcept;

}  // namespace tenon::runtime
