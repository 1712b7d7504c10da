// What a process and those it started use, read from /proc: proc(5), /proc/[pid]/stat and /proc/[pid]/task/[tid]/children.
//
// Counted are the process, every live descendant whose parents all live too (what daemonised itself is not found), and the
// processor time of those of them that have ended and were waited for. Resident memory counts shared pages once for each
// process. At most kMaxProcesses are looked at, so that a fork bomb costs its reader little.
#pragma once

#include <cstddef>

#include <sys/types.h>

#include <tenon/host.h>

#include "common/result.hpp"

namespace tenon::app {

inline constexpr std::size_t kMaxProcesses = 256;

// Fills memory_bytes (resident), cpu_ns (user and system) and process_count. errc::not_found if the process is gone.
Status read_process_usage(pid_t pid, tenon_usage& out);

}  // namespace tenon::app
