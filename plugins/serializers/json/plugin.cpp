// serializer/json: the CloudEvents JSON format, on simdjson.
#include <memory>
#include <string_view>

#include <tenon/sdk/plugin.hpp>
#include <tenon/sdk/serializer.hpp>

#include "event_reader.hpp"
#include "event_writer.hpp"
#include "tokens.hpp"
#include "value_reader.hpp"
#include "value_writer.hpp"

namespace tenon::json_plugin {

namespace {

// One index for all instances, gone with the last of them. Every call of a serializer is [loop], so two never meet.
std::shared_ptr<TokenIndex> shared_index() {
  static std::weak_ptr<TokenIndex> existing;
  std::shared_ptr<TokenIndex> index = existing.lock();
  if (index == nullptr) {
    index = std::make_shared<TokenIndex>();
    existing = index;
  }
  return index;
}

std::string_view text_of(tenon_bytes octets) noexcept {
  return {octets.data == nullptr ? "" : reinterpret_cast<const char*>(octets.data), octets.size};
}

class JsonSerializer {
 public:
  explicit JsonSerializer(sdk::Host) : index_(shared_index()) {}

  static void describe(tenon_serializer_info& out) noexcept {
    out.flags = TENON_SERIALIZER_TEXT | TENON_SERIALIZER_LINE_SAFE;
    out.content_type = TENON_LITERAL("application/json");
    out.event_type = TENON_LITERAL("application/cloudevents+json");
  }
  void read_event(tenon_bytes input, tenon_event& out) { event_reader_.read(index_->build(text_of(input)), out); }
  void write_event(const tenon_event& event, tenon_buffer& out) {
    serializers::Output output(out);
    json_plugin::write_event(event, output);
  }
  tenon_status read_value(tenon_bytes input, const tenon_value_sink& sink) {
    return value_reader_.read(index_->build(text_of(input)), sink);
  }
  void write_value(tenon_buffer& out, tenon_value_sink& out_sink) { value_writer_.begin(out, out_sink); }
  void finish_value() { value_writer_.finish(); }
  std::size_t splice(tenon_bytes encoded, const tenon_attribute* added, std::size_t count, tenon_buffer& out) {
    serializers::Output output(out);
    return json_plugin::splice(text_of(encoded), added, count, output);
  }

 private:
  std::shared_ptr<TokenIndex> index_;
  EventReader event_reader_;
  ValueReader value_reader_;
  ValueWriter value_writer_;
};

}  // namespace

}  // namespace tenon::json_plugin

TENON_PLUGIN_NOTE("json", "1.0.0", "Tenon", "MIT",
                  TENON_NOTE_COMPONENT(TENON_KIND_SERIALIZER, "json",
                                       TENON_JSON({"type" : "object", "additionalProperties" : false})))
TENON_EXPORT_PLUGIN("json", "1.0.0",
                    {TENON_KIND_SERIALIZER, "json",
                     tenon::sdk::serializer_table<tenon::json_plugin::JsonSerializer>()})
