// Any octets as a MessagePack event and as a MessagePack value. The two readers of the format, the one by hand for
// envelopes and msgpack-c for values, are held against each other.
#include "fuzz/plugins/serializer_fuzz.hpp"

namespace tenon::fuzz {
namespace {

// An event is a value too, and any value may be an event's data.
void check_both_readers(rig::Instance& msgpack, std::string_view octets, bool is_event) {
  rig::Record record;
  const rig::Outcome value = msgpack.read_value(rig::Input(octets), record.sink());
  if (is_event) must(value.status != TENON_ERR_BAD_DATA, "an event is a MessagePack value", value.text);
  if (!value.ok()) return;
  const rig::Input event(std::string("\x81\xa4") + "data" + std::string(octets));
  tenon_event seen;
  TENON_INIT(&seen);
  const rig::Outcome data = msgpack.read_event(event, seen);
  must(data.ok(), "data may be any MessagePack value", data.text);
}

}  // namespace
}  // namespace tenon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = tenon::fuzz;
  static fuzz::rig::Instance msgpack("msgpack");
  static fuzz::rig::Instance writer("msgpack");
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const bool is_event = fuzz::check_event(msgpack, octets);
  fuzz::check_value(msgpack, writer, octets);
  fuzz::check_both_readers(msgpack, octets, is_event);
  return 0;
}
