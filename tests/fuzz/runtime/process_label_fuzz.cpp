// Any bytes as what a former engine left about a process or a supervisor. What is accepted is exactly what encode
// makes.
#include "runtime/process_label.hpp"

#include <cstdint>

#include "fuzz/must.hpp"

namespace {

using tenon::fuzz::must;

template <class Label>
void check(std::string_view octets) {
  const auto label = Label::decode(octets);
  if (!label.ok()) {
    must(label.error().code == tenon::errc::bad_data && !label.error().message.empty(), "a refusal says why");
    return;
  }
  must(!label->id.empty(), "a label belongs to somebody");
  must(label->encode() == octets, "decode accepts only what encode makes", label->id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  check<tenon::runtime::ProcessLabel>(octets);
  check<tenon::runtime::SupervisorLabel>(octets);
  return 0;
}
