// Takes note of the deaths of children, one at a time, without ever blocking.
#pragma once

#include <functional>
#include <optional>
#include <sys/types.h>

#include "keeper/messages.hpp"

namespace tenon::keeper {

struct Reaped {
  pid_t pid = -1;
  ExitReport exit;  // run_time is not known here
};

// Reaps one dead child, strangers included: as a subreaper, or as PID 1, the keeper inherits orphans. Empty when no
// child is dead. `before` is called while the child is still a zombie, and so while its pid and its group cannot be
// reused; where it says no, the child stays a zombie. To look for any takes the kernel longer the more children live; to
// look at one (`pid`), not.
inline constexpr pid_t kAnyChild = 0;
std::optional<Reaped> reap_one(const std::function<bool(pid_t)>& before, pid_t pid = kAnyChild);

// Whether this process has any child, dead ones included.
bool has_children();

// Whether `pid` was stopped (true) or continued (false) since the last question; empty: neither.
std::optional<bool> stopped_or_continued(pid_t pid);

}  // namespace tenon::keeper
