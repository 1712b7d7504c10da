#include "integration/plugin_abi_event.hpp"

#include "integration/plugin_instance.hpp"

namespace tenon::integration {

tenon_attribute to_abi_attribute(const message::Attribute& a) noexcept {
  return {{a.name.data(), a.name.size()}, {a.value.data(), a.value.size()}, static_cast<std::uint32_t>(a.type), 0};
}

void fill_abi_event(const message::BaseMessageEnvelope& event, std::vector<tenon_attribute>& extensions,
                    tenon_event& out) {
  TENON_INIT(&out);
  out.specversion = to_abi(event.specversion);
  out.id = to_abi(event.id);
  out.source = to_abi(event.source);
  out.type = to_abi(event.type);
  out.time = to_abi(event.time);
  out.subject = to_abi(event.subject);
  out.datacontenttype = to_abi(event.datacontenttype);
  out.dataschema = to_abi(event.dataschema);
  out.topic = to_abi(event.topic);
  out.target = to_abi(event.target);
  out.replyto = to_abi(event.replyto);
  out.correlationid = to_abi(event.correlationid);
  out.expirytime = to_abi(event.expirytime);
  out.traceparent = to_abi(event.traceparent);
  out.tracestate = to_abi(event.tracestate);
  out.priority = event.priority;
  out.data_kind = static_cast<std::uint32_t>(event.data_kind);
  out.data = {reinterpret_cast<const std::uint8_t*>(event.data.data()), event.data.size()};
  out.format = to_abi(event.format.content_type());
  extensions.clear();
  for (const message::Attribute& a : event.extensions) extensions.push_back(to_abi_attribute(a));
  out.extensions = extensions.data();
  out.extension_count = static_cast<std::uint32_t>(extensions.size());
}

}  // namespace tenon::integration
