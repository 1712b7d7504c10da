// The order in which the keeper stops children by itself, as a pure machine: told of exits and of the time, it says
// which signals to send and when to be asked again.
//
// The model. Children of the highest rank form the first wave, and so on down. A wave's children get their stop
// signal at once and SIGKILL when their own grace is over; the next wave begins when all of this one have exited. A
// child that SIGKILL has not moved within kKillPatience (it hangs in the kernel) is given up, so that the whole
// takes at most the sum over the waves of the longest grace plus kKillPatience.
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

#include "common/clock.hpp"
#include "keeper/spawn_spec.hpp"

namespace tenon::keeper {

class ShutdownPlan {
 public:
  static constexpr Duration kKillPatience = std::chrono::seconds(5);

  struct Member {
    pid_t pid = -1;
    StopPlan stop;
  };
  struct Action {
    pid_t pid = -1;  // the leader, and so the number, of the group to signal
    int signal_number = 0;
  };

  ShutdownPlan() = default;  // of nobody: finished
  explicit ShutdownPlan(std::vector<Member> members);

  // What to do now. Calling again with the same time does nothing twice.
  std::vector<Action> advance(MonotonicTime now);
  void note_exit(pid_t pid);
  void note_successor(pid_t before, pid_t pid);
  // No more grace for anybody: advance() then kills all that are left.
  void kill_all() { kill_all_ = true; }

  bool finished() const { return members_.empty(); }
  std::optional<MonotonicTime> next_deadline() const;  // when to call advance() if nobody exits before
  std::size_t given_up() const { return given_up_; }   // children that even SIGKILL did not move

 private:
  enum class Phase : std::uint8_t { waiting, asked, killed };
  struct Entry {
    Member member;
    Phase phase = Phase::waiting;
    MonotonicTime deadline;  // of the phase; not of waiting
  };

  void begin_wave(MonotonicTime now, std::vector<Action>& actions);
  void kill(Entry& entry, MonotonicTime now, std::vector<Action>& actions);

  std::vector<Entry> members_;  // highest rank first; without those that exited
  std::size_t given_up_ = 0;
  bool kill_all_ = false;
};

}  // namespace tenon::keeper
