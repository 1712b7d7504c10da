// What a process uses, read from /proc. Source: proc(5), /proc/[pid]/stat and statm.
#pragma once

#include <sys/types.h>

#include <tenon/host.h>

#include "common/result.hpp"

namespace tenon::app {

// Fills memory_bytes (resident), cpu_ns (user and system) and process_count of the one process. errc::not_found if it is gone.
Status read_process_usage(pid_t pid, tenon_usage& out);

}  // namespace tenon::app
