// A control group for each process: what holds all that it starts, however it detaches, and what limits it.
//
// The model. The keeper makes a directory of its own in each hierarchy that it may write ("tenon.PID-XXXX", beside
// which its own processes stay), and in these one for each process: always in that of version 2, which kills and
// freezes; in those of the controllers (version 2 where they are delegated, else version 1) if the process has such a
// limit. A process joins before it executes anything. Its groups stay for its next incarnation, and go when it is
// forgotten; what was left by hosts that are dead is removed at the next start, as far as nothing lives in it.
//
// Nothing here is needed for a process to run: where there are no groups, stopping works by process group and by what
// the keeper inherits (orphans.hpp), and limits by rlimits as far as these go.
//
// One thread: the keeper's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "keeper/cgroup_layout.hpp"
#include "keeper/spawn_spec.hpp"

namespace tenon::keeper {

class Cgroups {
 public:
  // None at all.
  Cgroups() = default;
  // Makes the keeper's directories, called `name`, in those of the layout. Never fails: what cannot be had is left out.
  static Cgroups make(const CgroupLayout& layout, const std::string& name);
  // The same for where this process is, with a name that nobody else has.
  static Cgroups make_here();
  // Removes what make() made, as far as it is empty.
  void remove_all();

  bool contains() const noexcept { return !unified_.empty(); }  // all that a process starts can be found
  bool limits(CgroupController controller) const noexcept {
    return !limiting_[static_cast<std::size_t>(controller)].empty();
  }

  // The directories of what a process joins, open with O_PATH.
  struct Membership {
    unique_fd group;                        // of version 2: it holds all that the process starts
    bool to_be_born_in = false;             // that group may be given to clone_into
    std::vector<unique_fd> others;          // of version 1: they limit
    bool limited[kCgroupControllers] = {};  // of those asked for, by CgroupController
    bool contained() const noexcept { return group.valid(); }
  };
  // Makes the groups of a process and sets its limits. What fails is left out, and logged once.
  Membership join(std::string_view id, const GroupLimits& limits);
  // The same in new groups: for a process that its old group will not have, because something that it made there is in
  // the way (a group that hands controllers down holds no process).
  Membership join_anew(std::string_view id, const GroupLimits& limits);
  // SIGKILL to all that is in it, in one step, forks under way included. False: it has no group.
  bool kill(std::string_view id);
  // Frozen, nothing in it runs; who joins it stands still before it has executed anything, so join() thaws it first.
  bool freeze(std::string_view id, bool on);
  // Whether a process is in it, or in one that was made within.
  bool holds(std::string_view id, pid_t pid) const;
  // Whether anything in it lives; zombies do not count.
  bool populated(std::string_view id) const;
  // How often the kernel killed in it for want of memory; 0 where nobody counts.
  std::uint64_t out_of_memory_kills(std::string_view id) const;
  // The process is forgotten. What is still populated stays until nothing is.
  void remove(std::string_view id);

  // Directories of the run, for a successor of the keeper's duties; the first is that of version 2, if there is one.
  std::vector<std::string> directories() const;

 private:
  void take_controllers(const std::string& own);
  bool limit(const std::string& directory, CgroupController controller, const GroupLimits& limits);
  void lift(std::string_view id, CgroupController controller);

  std::string unified_;                        // the run's own; empty: none
  std::string limiting_[kCgroupControllers];   // of the run, by CgroupController; empty: none
  bool version_2_[kCgroupControllers] = {};    // those are unified_
  std::map<std::string, unique_fd, std::less<>> run_directories_;  // open ones of unified_ and limiting_
  std::set<std::string, std::less<>> frozen_;  // ids
  std::set<std::string, std::less<>> killed_;  // ids whose group was killed once: nobody can be born in it any more
  std::set<std::string, std::less<>> limited_[kCgroupControllers];  // ids, of version 2: a group outlives its limits
  std::vector<std::string> to_remove_;         // directories that were not empty yet
  bool complained_ = false;
};

// What limits a process, for people: why a limit of the controller cannot be had here; empty: it can.
std::string wrong_with_cgroup_limit(CgroupController controller);

// Kills everything in the group of version 2 of a run, and removes the run's directories: for who finds the keeper dead.
void end_cgroups(const std::vector<std::string>& directories);

}  // namespace tenon::keeper
