// Exits and waits in words, for `tenon status`: "exit code 3, restart 4, next in 800 ms". At most 128 octets come out.
#pragma once

#include <tenon/restart_policy.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "../../common/duration_text.hpp"

namespace tenon::restart {

// "exit code 3", "signal 9 (KILL)", "start failed (No such file or directory)", "killed as unhealthy", "killed
// because …".
inline std::string describe_end(const tenon_exit& exit) {
  const std::string value = std::to_string(exit.value);
  switch (exit.ended) {
    case TENON_ENDED_CODE: return "exit code " + value;
    case TENON_ENDED_SIGNAL: {
      const char* name = ::sigabbrev_np(exit.value);  // NULL for real-time signals
      return "signal " + value + (name == nullptr ? "" : std::string(" (") + name + ")");
    }
    case TENON_ENDED_SPAWN: {
      const char* reason = ::strerrordesc_np(exit.value);
      return "start failed (" + (reason == nullptr ? "error " + value : std::string(reason)) + ")";
    }
    case TENON_ENDED_HEALTH: return "killed as unhealthy";
    case TENON_ENDED_STARTUP: return "killed because it was not ready in time";
    default: return "ended";
  }
}

// "exit code 3, restart 1, at once" or "exit code 3, restart 4, next in 800 ms".
inline std::string describe_restart(const tenon_exit& exit, std::uint64_t number, std::uint64_t delay_ns) {
  return describe_end(exit) + ", restart " + std::to_string(number) +
         (delay_ns == 0 ? ", at once" : ", next in " + plugins::describe_duration(delay_ns));
}

}  // namespace tenon::restart
