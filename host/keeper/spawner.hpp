// Turns a SpawnSpec into a running process: checks it, makes the pipes, finds the program, and says in a sentence what
// went wrong.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/unique_fd.hpp"
#include "keeper/cgroups.hpp"
#include "keeper/clone_exec.hpp"
#include "keeper/spawn_spec.hpp"

namespace tenon::keeper {

// Descriptors that no child gets: without them the keeper could not start an engine and hand over to it.
inline constexpr std::uint64_t kReservedDescriptors = 128;

// What a child gets back of what the keeper changed for itself.
struct OriginalLimits {
  std::uint64_t open_files_soft = 0, open_files_hard = 0;  // both 0: not changed
  std::string oom_score;                                   // text of oom_score_adj; empty: not changed
};

struct SpawnFailure {
  SpawnStage stage = SpawnStage::none;
  int error_number = 0;  // 0 where no call failed
  std::string message;   // a sentence for the operator; never a value of the environment
};
struct SpawnedChild {
  pid_t pid = -1;
  ChildDescriptors descriptors;  // the host's ends
};
using SpawnOutcome = std::variant<SpawnedChild, SpawnFailure>;

// Where a program would be looked for: itself if it has a '/', else in each absolute directory of the PATH among
// `environment`, or of a default PATH. Empty entries of a PATH are left out: the current directory is no place for
// them.
std::vector<std::string> program_candidates(const std::string& program, const std::vector<std::string>& environment);

class Spawner {
 public:
  // Which signals this process ignores, and how many descriptors it may open, must not change after that. `run` goes into
  // the cookie of each child (orphans.hpp); empty: they get none.
  explicit Spawner(OriginalLimits original, std::string run = {});

  // Into the control groups that it joins; group limits that these do not keep become rlimits. Fails with EMFILE once no
  // more than kReservedDescriptors are left.
  // `sockets` are those of the spec, in its order.
  SpawnOutcome spawn(const SpawnSpec& spec, const Cgroups::Membership& membership = {},
                     const std::vector<int>& sockets = {}) const;

  // False: the kernel gave the last numbers that are free, which no child gets.
  bool leaves_the_reserve(int descriptor) const { return descriptor <= last_descriptor_; }

  // The engine: an open file instead of a path, the parent's stdio, one more descriptor, and no parent-death signal: it
  // must outlive a killed keeper long enough to kill what the keeper left.
  SpawnOutcome spawn_engine(int executable, const std::vector<std::string>& argv,
                            const std::vector<std::string>& environment, int link) const;

 private:
  OriginalLimits original_;
  std::string run_;
  std::uint64_t ignored_signals_;
  int last_descriptor_;  // the highest number that a child's host's end may have
};

}  // namespace tenon::keeper
