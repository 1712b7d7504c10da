// Whatever a process sends by sd_notify(3): what is read of it is within its bounds and points into the input.
#include "integration/notify_message.hpp"

#include <cstdint>
#include <string_view>

#include "common/utf8.hpp"
#include "fuzz/must.hpp"

using tenon::fuzz::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto message = tenon::integration::parse_notify_message(text);
  if (message.status) {
    must(message.status->data() >= text.data() && message.status->end() <= text.end(), "a status is a part of the input");
    must(tenon::is_valid_utf8(*message.status), "a status is UTF-8");
    must(message.status->find('\n') == std::string_view::npos, "a status is one line");
  }
  if (message.main_pid) must(*message.main_pid > 1, "a main pid is one of a process");
  if (message.extend) {
    must(*message.extend > tenon::Duration::zero() && *message.extend <= tenon::integration::kMaxExtend, "in its range");
  }
  return 0;
}
