#include "keeper/clone_exec.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <span>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/clone_into.hpp"
#include "keeper/descriptor_slots.hpp"

namespace tenon::keeper {
namespace {

constexpr std::size_t kStackBytes = 128 * 1024;

// The sanitizers' bookkeeping knows neither this stack nor this way of returning.
#define TENON_IN_CHILD __attribute__((no_sanitize("address", "undefined", "thread"), noinline))

constexpr std::size_t kExecutableSlot = kMaxChildDescriptors;  // after those
static_assert(kExecutableSlot < DescriptorSlots::kCount);
static_assert(kMaxChildDescriptors <= DescriptorSlots::kFirst);  // no slot is where a child gets something

struct ChildArguments {
  const ExecPlan* plan;
  const DescriptorSlots* slots;
  pid_t parent;
  bool in_group;                     // see clone_into
  volatile bool ran;                 // written by the child: it was not killed before its first instruction
  volatile SpawnStage failed_stage;  // written by the child, read by the parent
  volatile int error_number;
};

// A raw system call: libc's wrappers may take locks, tell other threads, or be intercepted by a sanitizer.
template <class... Args>
TENON_IN_CHILD long kernel(long number, Args... args) {
  return ::syscall(number, args...);
}

// What the parent handles, execve sets to its default by itself.
TENON_IN_CHILD void give_default_signals(std::uint64_t ignored) {
  struct KernelAction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    unsigned long mask;
  } action{SIG_DFL, 0, nullptr, 0};
  for (int number = 1; ignored != 0; ++number, ignored >>= 1) {
    if (ignored & 1) kernel(SYS_rt_sigaction, number, &action, nullptr, sizeof(long));
  }
}

// Only once no handler of the parent's can run here any more.
TENON_IN_CHILD void unblock_signals() {
  unsigned long none = 0;
  kernel(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

TENON_IN_CHILD void restore_oom_score(const char* text) {
  const long fd = kernel(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return;
  std::size_t size = 0;
  while (text[size] != '\0') ++size;
  kernel(SYS_write, fd, text, size);
  kernel(SYS_close, fd);
}

// Before anything is opened: until then the table is the parent's, too.
TENON_IN_CHILD bool take_own_table(const DescriptorSlots& slots) {
  return !slots.sharing_helps() || kernel(SYS_close_range, slots.end(), ~0u, CLOSE_RANGE_UNSHARE) >= 0;
}

TENON_IN_CHILD bool place_descriptors(const ExecPlan& plan, const DescriptorSlots& slots) {
  for (std::size_t i = 0; i < plan.descriptor_count; ++i) {
    if (kernel(SYS_dup3, slots.number(i), i, 0) < 0) return false;
  }
  return true;
}

TENON_IN_CHILD void write_own_pid(char* at) {
  char digits[10];
  int count = 0;
  for (long pid = kernel(SYS_getpid); pid > 0; pid /= 10) digits[count++] = static_cast<char>('0' + pid % 10);
  while (count > 0) *at++ = digits[--count];
  *at = '\0';
}

TENON_IN_CHILD bool set_limits(const ExecPlan& plan) {
  for (std::size_t i = 0; i < plan.limit_count; ++i) {
    const std::uint64_t limit[2] = {plan.limits[i].soft, plan.limits[i].hard};
    if (kernel(SYS_prlimit64, 0, plan.limits[i].resource, limit, nullptr) < 0) return false;
  }
  return true;
}

// What is mounted here later is seen nowhere else, what is mounted elsewhere is seen here.
TENON_IN_CHILD bool take_own_tmp() {
  if (kernel(SYS_unshare, CLONE_NEWNS) < 0) return false;
  if (kernel(SYS_mount, nullptr, "/", nullptr, long{MS_REC | MS_SLAVE}, nullptr) < 0) return false;
  constexpr long kFlags = MS_NOSUID | MS_NODEV;
  if (kernel(SYS_mount, "tmpfs", "/tmp", "tmpfs", kFlags, "mode=1777") < 0) return false;
  return kernel(SYS_mount, "tmpfs", "/var/tmp", "tmpfs", kFlags, "mode=1777") >= 0 || errno == ENOENT;
}

// What the kernel knows beyond 63 there is not, and after the last that it knows it says EINVAL.
TENON_IN_CHILD bool bound_capabilities(std::uint64_t kept) {
  for (long number = 0; number < 64; ++number) {
    if (kept >> number & 1) continue;
    if (kernel(SYS_prctl, PR_CAPBSET_DROP, number, 0L, 0L, 0L) < 0) return errno == EINVAL;
  }
  return true;
}

// What needs the keeper's privileges, or will be the last to have them.
TENON_IN_CHILD SpawnStage confine(const ExecPlan& plan) {
  constexpr long kThisProcess = 1;  // IOPRIO_WHO_PROCESS
  if (plan.io_priority && kernel(SYS_ioprio_set, kThisProcess, 0, *plan.io_priority) < 0) return SpawnStage::io_priority;
  if (plan.private_tmp && !take_own_tmp()) return SpawnStage::private_tmp;
  if (plan.capabilities && !bound_capabilities(*plan.capabilities)) return SpawnStage::capabilities;
  return SpawnStage::none;
}

TENON_IN_CHILD SpawnStage become_user(const ExecPlan& plan) {
  if (plan.set_groups && kernel(SYS_setgroups, plan.group_count, plan.groups) < 0) return SpawnStage::groups;
  if (plan.gid && kernel(SYS_setresgid, *plan.gid, *plan.gid, *plan.gid) < 0) return SpawnStage::gid;
  if (plan.uid && kernel(SYS_setresuid, *plan.uid, *plan.uid, *plan.uid) < 0) return SpawnStage::uid;
  if (plan.no_new_privileges && kernel(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0) {
    return SpawnStage::privileges;
  }
  return SpawnStage::none;
}

// Like execvp: a candidate that may not be executed is remembered and the search goes on.
TENON_IN_CHILD void execute(const ExecPlan& plan, const DescriptorSlots& slots) {
  if (!plan.candidates) {
    kernel(SYS_execveat, slots.number(kExecutableSlot), "", plan.argv, plan.environment, AT_EMPTY_PATH);
    return;
  }
  bool forbidden = false;
  for (const char* const* path = plan.candidates; *path != nullptr; ++path) {
    kernel(SYS_execve, *path, plan.argv, plan.environment);
    if (errno == EACCES) {
      forbidden = true;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      return;
    }
  }
  if (forbidden) errno = EACCES;
}

TENON_IN_CHILD bool join_control_group(int directory) {
  const long processes = kernel(SYS_openat, directory, "cgroup.procs", O_WRONLY | O_CLOEXEC, 0);
  if (processes < 0) return false;
  const char self = '0';
  const bool joined = kernel(SYS_write, processes, &self, 1) == 1;
  const int error_number = errno;
  kernel(SYS_close, processes);
  errno = error_number;
  return joined;
}

TENON_IN_CHILD bool join_control_groups(const ExecPlan& plan, bool in_group) {
  if (plan.group >= 0 && !in_group && !join_control_group(plan.group)) return false;
  for (std::size_t i = 0; i < plan.control_group_count; ++i) {
    if (!join_control_group(plan.control_groups[i])) return false;
  }
  return true;
}

TENON_IN_CHILD SpawnStage prepare_and_execute(const ChildArguments& arguments) {
  const ExecPlan& plan = *arguments.plan;
  const DescriptorSlots& slots = *arguments.slots;
  if (!join_control_groups(plan, arguments.in_group)) return SpawnStage::cgroup;
  if (!take_own_table(slots)) return SpawnStage::descriptors;
  give_default_signals(plan.ignored_signals);
  if (kernel(SYS_setsid) < 0) return SpawnStage::session;
  if (plan.own_pid) write_own_pid(plan.own_pid);
  if (plan.oom_score) restore_oom_score(plan.oom_score);
  if (!place_descriptors(plan, slots)) return SpawnStage::descriptors;
  if (!set_limits(plan)) return SpawnStage::limits;
  if (plan.nice && kernel(SYS_setpriority, PRIO_PROCESS, 0, *plan.nice) < 0) return SpawnStage::nice;
  if (const SpawnStage failed = confine(plan); failed != SpawnStage::none) return failed;
  if (const SpawnStage failed = become_user(plan); failed != SpawnStage::none) return failed;
  if (plan.dies_with_parent) {
    if (kernel(SYS_prctl, PR_SET_PDEATHSIG, long{SIGKILL}, 0L, 0L, 0L) < 0) return SpawnStage::parent_death;
    if (kernel(SYS_getppid) != arguments.parent) return SpawnStage::parent_gone;
  }
  if (plan.directory && kernel(SYS_chdir, plan.directory) < 0) return SpawnStage::chdir;
  if (plan.file_mode_mask >= 0) kernel(SYS_umask, plan.file_mode_mask);
  unblock_signals();
  execute(plan, slots);
  return SpawnStage::exec;
}

TENON_IN_CHILD int child_main(void* pointer) {
  auto& arguments = *static_cast<ChildArguments*>(pointer);
  arguments.ran = true;
  errno = 0;
  const SpawnStage stage = prepare_and_execute(arguments);
  arguments.error_number = errno;
  arguments.failed_stage = stage;
  for (;;) kernel(SYS_exit_group, 127);
}

// Mapped once and used again and again: the parent is suspended while its child is on it. Grows downwards into a page
// that faults rather than into somebody's memory.
std::span<std::byte> child_stack() {
  static std::byte* const lowest = []() -> std::byte* {
    const std::size_t guard = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* base = ::mmap(nullptr, kStackBytes + guard, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (base == MAP_FAILED) return nullptr;
    ::mprotect(base, guard, PROT_NONE);
    return static_cast<std::byte*>(base) + guard;
  }();
  return {lowest, lowest ? kStackBytes : 0};
}

bool fill_slots(const ExecPlan& plan, DescriptorSlots& slots) {
  if (!slots.reserve()) return false;
  for (std::size_t i = 0; i < plan.descriptor_count; ++i) {
    if (plan.descriptors[i] >= 0 && !slots.fill(i, plan.descriptors[i])) return false;
  }
  return plan.executable < 0 || slots.fill(kExecutableSlot, plan.executable);
}

// A handler that ran in the child would run on the parent's memory.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

std::string_view to_string(SpawnStage stage) noexcept {
  switch (stage) {
    case SpawnStage::none: return "none";
    case SpawnStage::refused: return "refused";
    case SpawnStage::pipe: return "pipe";
    case SpawnStage::socket: return "socket";
    case SpawnStage::open: return "open";
    case SpawnStage::clone: return "clone";
    case SpawnStage::cgroup: return "cgroup";
    case SpawnStage::session: return "setsid";
    case SpawnStage::descriptors: return "descriptors";
    case SpawnStage::limits: return "limits";
    case SpawnStage::nice: return "nice";
    case SpawnStage::io_priority: return "ioprio";
    case SpawnStage::private_tmp: return "private_tmp";
    case SpawnStage::capabilities: return "capabilities";
    case SpawnStage::groups: return "setgroups";
    case SpawnStage::gid: return "setgid";
    case SpawnStage::uid: return "setuid";
    case SpawnStage::privileges: return "no_new_privs";
    case SpawnStage::parent_death: return "pdeathsig";
    case SpawnStage::parent_gone: return "parent_gone";
    case SpawnStage::chdir: return "chdir";
    case SpawnStage::exec: return "exec";
  }
  return "unknown";
}

std::uint64_t ignored_signals() {
  std::uint64_t ignored = 0;
  for (int number = 1; number <= SIGRTMAX; ++number) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) ignored |= 1ull << (number - 1);
  }
  return ignored;
}

std::variant<pid_t, ExecFailure> clone_and_exec(const ExecPlan& plan) {
  const std::span<std::byte> stack = child_stack();
  if (stack.empty()) return ExecFailure{SpawnStage::clone, ENOMEM};
  DescriptorSlots& slots = DescriptorSlots::of_this_process();
  if (!fill_slots(plan, slots)) {
    const int error_number = errno;
    slots.empty();
    return ExecFailure{SpawnStage::descriptors, error_number};
  }
  ChildArguments arguments{&plan, &slots, ::getpid(), false, false, SpawnStage::none, 0};
  const unsigned long flags = CLONE_VM | CLONE_VFORK | (slots.sharing_helps() ? CLONE_FILES : 0);
  Cloned child;
  {
    const NoSignals quiet;
    child = clone_into(plan.group, flags, stack, child_main, &arguments, arguments.in_group);
  }
  slots.empty();
  if (child.pid < 0) {
    return ExecFailure{child.group_refused ? SpawnStage::cgroup : SpawnStage::clone, child.error_number};
  }
  if (arguments.failed_stage == SpawnStage::none && (arguments.ran || !arguments.in_group)) return child.pid;
  while (::waitpid(child.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (arguments.failed_stage == SpawnStage::none) return ExecFailure{SpawnStage::cgroup, ECANCELED};
  return ExecFailure{arguments.failed_stage, arguments.error_number};
}

}  // namespace tenon::keeper
