#include "integration/notify_message.hpp"

#include <charconv>

#include "common/utf8.hpp"
#include "keeper/notify_socket.hpp"

namespace tenon::integration {
namespace {

std::optional<std::uint64_t> whole_number(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void take(NotifyMessage& message, std::string_view name, std::string_view value) noexcept {
  const bool said = value == "1";
  if (name == "READY") {
    message.ready = said;
  } else if (name == "RELOADING") {
    message.reloading = said;
  } else if (name == "STOPPING") {
    message.stopping = said;
  } else if (name == "STATUS") {
    if (is_valid_utf8(value)) message.status = value;
  } else if (name == "WATCHDOG") {
    if (said) message.watchdog = WatchdogWord::alive;
    if (value == "trigger") message.watchdog = WatchdogWord::trigger;
  } else if (name == "MAINPID") {
    if (const auto pid = keeper::parse_main_pid(value)) message.main_pid = *pid;
  } else if (name == "EXTEND_TIMEOUT_USEC") {
    constexpr auto most =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(kMaxExtend).count());
    const auto microseconds = whole_number(value);
    if (microseconds && *microseconds > 0) {
      message.extend = std::chrono::microseconds(std::min(*microseconds, most));
    }
  }
}

}  // namespace

NotifyMessage parse_notify_message(std::string_view text) noexcept {
  NotifyMessage message;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (const std::size_t equals = line.find('='); equals != line.npos) {
      take(message, line.substr(0, equals), line.substr(equals + 1));
    }
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
  }
  return message;
}

}  // namespace tenon::integration
