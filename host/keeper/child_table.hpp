// Every child that the keeper started and that no engine has forgotten yet.
//
// A child *runs* until it is reaped and has *exited* from then until Forget. Its host's ends stay open through
// both, so that what a dead worker wrote last can still be read by an engine that comes later. An engine is told of
// an exit once; `told` says whether the present one was.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "keeper/messages.hpp"

namespace tenon::keeper {

// All of a config's processes, and the helpers of health checks.
inline constexpr std::size_t kMaxChildren = kMaxProcesses + 1024;

struct Child {
  ProcessKey key;
  pid_t pid = -1;    // the one that was started, or its successor since that took its place
  pid_t told_pid = -1;  // what the present engine knows it by
  uid_t user = 0;    // whom it was started as
  // A descendant that it named as its main process (MAINPID); −1: none. The pidfd says whether the number is still its.
  pid_t successor = -1;
  pid_t named = -1;  // the last that it named, whether it could be told to be a descendant or not
  unique_fd successor_fd;
  std::optional<MonotonicTime> succession_until;  // it has ended, and until then its successor may become our child
  unique_fd main_fd;  // pidfd of pid, once it is a successor: it may be in any group and session
  MonotonicTime started;
  WallTime started_wall;
  ChannelKind channel = ChannelKind::none;
  StopPlan stop;
  bool transient = false;
  bool contained = false;              // it has a control group of its own
  bool memory_limited = false;         // by its control group
  std::uint64_t memory_kills = 0;      // in its control group, before it was started
  bool killed = false;                 // we sent it SIGKILL
  ChildDescriptors ends;           // the host's
  std::unique_ptr<ExitReport> exit;  // null: runs
  bool told = false;               // the present engine knows of the exit
  bool abandoned = false;          // its engine is gone: forgotten without a word when it is reaped

  bool runs() const { return exit == nullptr; }
};

class ChildTable {
 public:
  // Null if unknown.
  Child* find(const ProcessKey& key);
  Child* find_running(pid_t pid);
  // Of any generation.
  bool knows(const std::string& id) const;
  Child& add(Child child);
  // The child exited: its pid means nothing any more.
  void note_exit(Child& child, ExitReport report);
  void erase(const ProcessKey& key);
  // The successor is the child from now on; the one before has been reaped.
  void hand_over(Child& child);

  std::size_t running() const { return by_pid_.size(); }
  std::size_t size() const { return children_.size(); }
  bool full() const { return children_.size() >= kMaxChildren; }

  auto begin() { return children_.begin(); }
  auto end() { return children_.end(); }

 private:
  std::map<ProcessKey, Child> children_;
  std::unordered_map<pid_t, Child*> by_pid_;  // running ones; nodes of a map do not move
};

// Duplicates of the ends that are still open. errc::exhausted when out of descriptors.
Result<ChildDescriptors> duplicate_ends(const Child& child);
unique_fd& end_of(ChildDescriptors& ends, ChannelEnd which);

}  // namespace tenon::keeper
