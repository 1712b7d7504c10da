// Any text as a request target: what is accepted reads the same when it is written again, and its parameters keep their
// bounds.
#include "control/target.hpp"

#include <cstdint>

#include "common/encoding.hpp"
#include "fuzz/must.hpp"

namespace {

using tenon::control::Target;
using tenon::fuzz::must;

std::string written(const Target& target) {
  std::string text;
  for (const std::string& segment : target.segments) text += "/" + tenon::percent_encode(segment);
  if (target.segments.empty()) text = "/";
  char mark = '?';
  for (const auto& [name, value] : target.query) {
    text += mark + tenon::percent_encode(name) + "=" + tenon::percent_encode(value);
    mark = '&';
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto target = tenon::control::parse_target(text);
  if (!target.ok()) {
    must(target.error().code == tenon::errc::invalid_argument && !target.error().message.empty(), "a refusal says why");
    must(target.error().message.size() < 1024, "a refusal does not repeat all of the request");
    return 0;
  }
  const std::string again = written(*target);
  const auto second = tenon::control::parse_target(again);
  must(second.ok(), "what was parsed can be written and parsed", again);
  must(second->segments == target->segments && second->query == target->query, "and says the same", again);

  constexpr std::uint64_t kMost = 1000;
  for (const auto& [name, value] : target->query) {
    must(target->find(name) != nullptr, "a parameter that is there is found", name);
    target->flag(name, true);
    if (const auto number = target->number(name, kMost); number.ok())
      must(number->has_value() && **number <= kMost, "a number keeps its bound", value);
    if (const auto time = target->duration(name, std::chrono::seconds(5)); time.ok())
      must(time->has_value() && **time >= tenon::Duration(0) && **time <= std::chrono::seconds(5), "a time too", value);
  }
  return 0;
}
