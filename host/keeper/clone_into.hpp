// clone(2) of a child on a stack of its own, straight into a control group.
//
// To join a group by a write takes a lock that stops every fork and exit of the machine; to be born in it takes none
// (clone3(2), CLONE_INTO_CGROUP, Linux 5.7). glibc 2.36 has no wrapper for clone3, and a raw call cannot leave the
// parent's stack without assembly, so only x86-64 has it here.
//
// A trap: up to Linux 6.18 at least, a child that is born in a group to whose cgroup.kill anybody has ever written is
// killed before its first instruction, because the fork compares the count of such kills with that of the parent's group.
#pragma once

#include <cstddef>
#include <span>
#include <sys/types.h>

namespace tenon::keeper {

struct Cloned {
  pid_t pid = -1;             // −1: the child could not be made
  int error_number = 0;       // why
  bool group_refused = false;  // the group would not have it
};

// Runs main(argument) on `stack`, which must not return. `flags` are those of clone(2), SIGCHLD is sent at its end.
// `group` is the directory of a group of version 2, open with O_PATH, or −1. `in_group` says, already to a child that
// shares this memory, whether it was born there: not where the kernel, a seccomp filter or the architecture does not know
// clone3, and then it has to join by itself.
Cloned clone_into(int group, unsigned long flags, std::span<std::byte> stack, int (*main)(void*), void* argument,
                  bool& in_group);

}  // namespace tenon::keeper
