// Deep copies of what crosses the ABI, for FakePluginHost's records.
#include "support/fake_plugin_host.hpp"

namespace tenon::test_support {
namespace {

std::string text(tenon_str span) { return {span.data == nullptr ? "" : span.data, span.size}; }

std::string text(tenon_bytes span) {
  return span.size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(span.data), span.size);
}

RecordedEvent record(const tenon_event& event) {
  RecordedEvent copy;
  const auto take = [&copy](const char* name, tenon_str value) {
    if (value.data != nullptr) copy.attributes[name] = text(value);
  };
  take("specversion", event.specversion), take("id", event.id), take("source", event.source), take("type", event.type);
  take("time", event.time), take("subject", event.subject), take("datacontenttype", event.datacontenttype);
  take("dataschema", event.dataschema), take("topic", event.topic), take("target", event.target);
  take("replyto", event.replyto), take("correlationid", event.correlationid), take("expirytime", event.expirytime);
  take("traceparent", event.traceparent), take("tracestate", event.tracestate);
  for (std::uint32_t i = 0; i < event.extension_count; ++i)
    copy.attributes[text(event.extensions[i].name)] = text(event.extensions[i].value);
  copy.priority = event.priority;
  copy.data_kind = event.data_kind;
  copy.data = text(event.data);
  copy.format = text(event.format);
  return copy;
}

}  // namespace

RecordedError record(const tenon_error& error) {
  return {error.code, error.fault, error.retryable != 0, std::string(error.text, error.text_size)};
}

RecordedMessage record(const tenon_message& message) {
  RecordedMessage copy;
  copy.hops = message.hops;
  copy.topic = text(message.topic);
  copy.encoded = text(message.encoded);
  copy.content_type = text(message.content_type);
  copy.reply = text(message.reply);
  copy.origin = text(message.origin);
  if (message.event != nullptr) copy.event = record(*message.event);
  return copy;
}

}  // namespace tenon::test_support
