// Processes that ours have left behind, found without control groups: by what the keeper inherits as child subreaper,
// and by the cookie that stands in the environment of all that it starts.
//
// The cookie is TENON_RUN=<run>/<id>#<generation>. Not found is what cleared its environment and still has a parent of
// its own: once that parent is gone, it is the keeper's child, and is found at the latest when the host ends.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "keeper/spawn_spec.hpp"

namespace tenon::keeper {

inline constexpr std::string_view kRunVariable = "TENON_RUN";

// "TENON_RUN=…" for the environment of a child.
std::string run_cookie(std::string_view run, const ProcessKey& key);
// Whose descendant a process with this environment (as /proc/PID/environ has it) is, if it is one of `run`.
std::optional<ProcessKey> owner_by_cookie(std::string_view environment, std::string_view run);
// The same of a living process.
std::optional<ProcessKey> owner_of(pid_t pid, std::string_view run);

// The same for many processes, one round after the other. A process has no environment while it executes another program:
// a round that met one may have missed what belongs to the run.
class OwnerSearch {
 public:
  explicit OwnerSearch(std::string run) : run_(std::move(run)) {}
  std::optional<ProcessKey> owner_of(pid_t pid);
  // Ends a round: whether it met a process without environment that the round before had not met so. Those that have none
  // for good, and the kernel's own threads, cost one more round.
  bool may_have_missed_one();

 private:
  std::string run_;
  std::set<pid_t> bare_, bare_before_;
};

// It ends, executes another program just now, or had none from the start.
bool has_no_environment(pid_t pid);
// 0: it is no more, or a zombie.
pid_t parent_pid(pid_t pid);
// Children of `parent`, zombies left out. A walk over all processes: some 10 µs each.
std::vector<pid_t> children_of(pid_t parent);

// SIGKILL to every process of the run but `self`, again and again until none is left, at most `rounds` times. For who
// finds the keeper dead. Returns how many were left.
std::size_t kill_whole_run(std::string_view run, int rounds);

}  // namespace tenon::keeper
