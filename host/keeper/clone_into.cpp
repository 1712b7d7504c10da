#include "keeper/clone_into.hpp"

#include <cerrno>
#include <csignal>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>

namespace tenon::keeper {
namespace {

#if defined(__x86_64__)
// The child comes back from the call with an empty stack and everything in registers: it calls main and nothing else.
long clone3(clone_args& arguments, int (*main)(void*), void* argument) {
  long result = SYS_clone3;
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"  // the outermost frame
      "mov %[argument], %%rdi\n\t"
      "call *%[main]\n\t"
      "ud2\n"
      "1:"
      : "+a"(result)
      : "D"(&arguments), "S"(sizeof arguments), [main] "r"(main), [argument] "r"(argument)
      : "rcx", "r11", "memory");
  return result;
}

bool is_of_group(int error_number) {
  return error_number == EBADF || error_number == EBUSY || error_number == ENODEV || error_number == ENOENT ||
         error_number == EOPNOTSUPP || error_number == EACCES;
}

// Unknown to the kernel (ENOSYS, E2BIG: without the group), or forbidden by a filter that cannot look into its arguments.
bool is_missing(int error_number) { return error_number == ENOSYS || error_number == E2BIG || error_number == EPERM; }
#endif

}  // namespace

Cloned clone_into(int group, unsigned long flags, std::span<std::byte> stack, int (*main)(void*), void* argument,
                  bool& in_group) {
#if defined(__x86_64__)
  static bool known = true;
  if (group >= 0 && known) {
    clone_args arguments{};
    arguments.flags = flags | CLONE_INTO_CGROUP;
    arguments.exit_signal = SIGCHLD;
    arguments.stack = reinterpret_cast<std::uintptr_t>(stack.data());
    arguments.stack_size = stack.size();
    arguments.cgroup = static_cast<std::uint64_t>(group);
    in_group = true;
    const long result = clone3(arguments, main, argument);
    if (result >= 0) return {static_cast<pid_t>(result)};
    const int error_number = static_cast<int>(-result);
    if (!is_missing(error_number)) return {-1, error_number, is_of_group(error_number)};
    known = false;
  }
#else
  (void)group;
#endif
  in_group = false;
  std::byte* const top = stack.data() + stack.size();  // it grows downwards on all that Linux runs on but PA-RISC
  const pid_t pid = ::clone(main, top, static_cast<int>(flags) | SIGCHLD, argument);
  return {pid, pid < 0 ? errno : 0};
}

}  // namespace tenon::keeper
