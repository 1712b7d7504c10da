// One message of the sd_notify(3) protocol: lines of NAME=value.
//
// Known are READY, RELOADING, STOPPING, STATUS, WATCHDOG, MAINPID and EXTEND_TIMEOUT_USEC, as systemd 252 describes
// them; everything else is left out, as the protocol asks for. Of a name that comes twice the last counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <sys/types.h>

#include "common/clock.hpp"

namespace tenon::integration {

enum class WatchdogWord : std::uint8_t { none, alive, trigger };

struct NotifyMessage {
  static constexpr std::size_t kMaxBytes = 4096;  // systemd's own limit

  bool ready = false, reloading = false, stopping = false;
  WatchdogWord watchdog = WatchdogWord::none;
  std::optional<std::string_view> status;  // a view into the input; UTF-8
  std::optional<pid_t> main_pid;           // > 1
  std::optional<Duration> extend;          // > 0, at most kMaxExtend
  bool operator==(const NotifyMessage&) const = default;
};

inline constexpr Duration kMaxExtend = std::chrono::hours(24);

// Never fails: a value that makes no sense is left out too. `text` without the final NUL that some senders add.
NotifyMessage parse_notify_message(std::string_view text) noexcept;

}  // namespace tenon::integration
