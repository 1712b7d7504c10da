// Any bytes as a duration, a size and a time: the small texts that people and workers write. What is accepted has a
// text of its own that reads back to the same.
#include <cstdint>
#include <string_view>

#include "common/rfc3339.hpp"
#include "common/units.hpp"
#include "fuzz/must.hpp"

namespace {

using tenon::fuzz::must;

template <class Value>
bool accepted(const tenon::Result<Value>& parsed, std::string_view text) {
  if (!parsed.ok()) must(!parsed.error().message.empty(), "a refusal says why", std::string(text));
  return parsed.ok();
}

void check_duration(std::string_view text) {
  const auto parsed = tenon::parse_duration(text);
  if (!accepted(parsed, text)) return;
  must(parsed->count() >= 0, "a duration is never negative", std::string(text));
  const std::string written = tenon::duration_to_config(*parsed);
  const auto again = tenon::parse_duration(written);
  must(again.ok() && *again == *parsed, "a duration reads back exactly", written);
  must(!tenon::format_duration(*parsed).empty(), "a duration can be shown", written);
}

void check_bytes(std::string_view text) {
  const auto parsed = tenon::parse_bytes(text);
  if (!accepted(parsed, text)) return;
  const auto again = tenon::parse_bytes(std::to_string(*parsed));
  must(again.ok() && *again == *parsed, "a size reads back exactly", std::string(text));
  must(!tenon::format_bytes(*parsed).empty(), "a size can be shown", std::string(text));
}

void check_time(std::string_view text) {
  const auto parsed = tenon::parse_rfc3339(text);
  if (!accepted(parsed, text)) return;
  const auto written = tenon::format_rfc3339(*parsed, tenon::Rfc3339Precision::nanoseconds);
  const auto again = tenon::parse_rfc3339(written);
  must(again.ok() && *again == *parsed, "a time reads back exactly", written.str());
  // Cut off towards the past; the cut may fall out of what WallTime holds only at its very beginning.
  const auto seconds = tenon::format_rfc3339(*parsed, tenon::Rfc3339Precision::seconds);
  const auto cut = tenon::parse_rfc3339(seconds);
  if (cut.ok()) must(*cut <= *parsed && *parsed - *cut < std::chrono::seconds(1), "a cut is less than a second");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_duration(text);
  check_bytes(text);
  check_time(text);
  return 0;
}
