// One vfork-class spawn: a child that shares our memory until it has executed its program.
//
// The child runs on a private stack in the address space of the suspended parent, so it may call the kernel and
// nothing else: no allocation, no lock, no libc state. All it needs is prepared in an ExecPlan; what goes wrong
// comes back through the shared memory as a stage and an errno.
//
// The order in the child is: control groups, a descriptor table of its own, signals, session, OOM score, descriptors,
// limits, priorities, a /tmp of its own and the capabilities (which may need the keeper's privileges), groups, gid, uid,
// and only then the parent-death signal, because setuid clears it, and the check that the parent is still there, because
// it may have died before; then what must work as the new user: directory and program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <sys/types.h>
#include <variant>

#include "keeper/spawn_spec.hpp"

namespace tenon::keeper {

enum class SpawnStage : std::uint8_t {
  none, refused, pipe, socket, open, clone, cgroup, session, descriptors, limits, nice, io_priority,
  private_tmp, capabilities, groups, gid, uid, privileges, parent_death, parent_gone, chdir, exec,
};
std::string_view to_string(SpawnStage stage) noexcept;

// 0 … 2, sockets that it is passed, and a channel.
inline constexpr std::size_t kMaxChildDescriptors = 3 + kMaxPassedSockets + 1;

// Borrows everything; all of it must live until clone_and_exec returns.
struct ExecPlan {
  int executable = -1;                      // ≥ 0: this open file is executed; else:
  const char* const* candidates = nullptr;  // paths tried in order, ended by null
  char* const* argv = nullptr;
  char* const* environment = nullptr;
  std::array<int, kMaxChildDescriptors> descriptors = {-1, -1, -1};  // become 0, 1, … of the child; -1: /dev/null
  std::size_t descriptor_count = 3;
  char* own_pid = nullptr;                  // where in `environment` the child writes its pid; 11 bytes are free there
  std::uint64_t ignored_signals = 0;        // of the parent's, bit 0 is signal 1: the child gets their defaults
  int group = -1;                           // directory of its control group of version 2; -1: the parent's
  const int* control_groups = nullptr;      // directories of others that it joins
  std::size_t control_group_count = 0;
  const char* directory = nullptr;          // null: the parent's
  const ResourceLimit* limits = nullptr;
  std::size_t limit_count = 0;
  const char* oom_score = nullptr;          // written to oom_score_adj; null: left alone
  const std::int32_t* nice = nullptr;
  const std::int32_t* io_priority = nullptr;
  bool private_tmp = false;
  const std::uint64_t* capabilities = nullptr;  // those that are kept in the bounding set
  const gid_t* groups = nullptr;
  std::size_t group_count = 0;
  bool set_groups = false;
  const std::uint32_t* gid = nullptr;
  const std::uint32_t* uid = nullptr;
  int file_mode_mask = -1;                  // -1: the parent's
  bool no_new_privileges = false;
  bool dies_with_parent = true;
};

struct ExecFailure {
  SpawnStage stage = SpawnStage::none;
  int error_number = 0;
};

// The signals that this process ignores now, for ExecPlan: execve would leave them ignored.
std::uint64_t ignored_signals();

// Returns the pid once the program runs, or why it could not be run; a child that failed has been reaped. The caller
// must have one thread: the parent-death signal follows the thread that cloned, and nobody else may wait for the failed
// child.
std::variant<pid_t, ExecFailure> clone_and_exec(const ExecPlan& plan);

}  // namespace tenon::keeper
