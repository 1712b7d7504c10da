// serializer/msgpack: events and values in MessagePack, on msgpack-c.
#include <string_view>

#include <tenon/sdk/plugin.hpp>
#include <tenon/sdk/serializer.hpp>

#include "event_reader.hpp"
#include "event_writer.hpp"
#include "value_writer.hpp"
#include "values.hpp"

namespace tenon::msgpack_plugin {

namespace {

std::string_view octets_of(tenon_bytes octets) noexcept {
  return {octets.data == nullptr ? "" : reinterpret_cast<const char*>(octets.data), octets.size};
}

class MsgpackSerializer {
 public:
  explicit MsgpackSerializer(sdk::Host) noexcept {}

  static void describe(tenon_serializer_info& out) noexcept {
    out.flags = 0;
    out.content_type = TENON_LITERAL("application/msgpack");
    out.event_type = TENON_LITERAL("application/cloudevents+msgpack");
  }
  void read_event(tenon_bytes input, tenon_event& out) { event_reader_.read(octets_of(input), out); }
  void write_event(const tenon_event& event, tenon_buffer& out) {
    serializers::Output output(out);
    msgpack_plugin::write_event(event, output);
  }
  tenon_status read_value(tenon_bytes input, const tenon_value_sink& sink) {
    return msgpack_plugin::read_value(octets_of(input), sink, keys_);
  }
  void write_value(tenon_buffer& out, tenon_value_sink& out_sink) { value_writer_.begin(out, out_sink); }
  void finish_value() { value_writer_.finish(); }
  std::size_t splice(tenon_bytes encoded, const tenon_attribute* added, std::size_t count, tenon_buffer& out) {
    serializers::Output output(out);
    return msgpack_plugin::splice(octets_of(encoded), added, count, output);
  }

 private:
  EventReader event_reader_;
  serializers::MapKeys keys_;
  ValueWriter value_writer_;
};

}  // namespace

}  // namespace tenon::msgpack_plugin

TENON_PLUGIN_NOTE("msgpack", "1.0.0", "Tenon", "MIT",
                  TENON_NOTE_COMPONENT(TENON_KIND_SERIALIZER, "msgpack",
                                       TENON_JSON({"type" : "object", "additionalProperties" : false})))
TENON_EXPORT_PLUGIN("msgpack", "1.0.0",
                    {TENON_KIND_SERIALIZER, "msgpack",
                     tenon::sdk::serializer_table<tenon::msgpack_plugin::MsgpackSerializer>()})
