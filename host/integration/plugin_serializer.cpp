#include "integration/plugin_serializer.hpp"

#include "common/text.hpp"
#include "integration/plugin_abi_event.hpp"

namespace tenon::integration {

namespace {

// The host's OutputBuffer as the ABI's tenon_buffer: the plugin appends in place, grow asks the host for more.
struct AbiBuffer {
  tenon_buffer abi;
  message::OutputBuffer* host;

  explicit AbiBuffer(message::OutputBuffer& out) : host(&out) {
    abi.struct_size = sizeof abi;
    abi.reserved = 0;
    abi.grow = &grow;
    refresh();
  }
  void refresh() noexcept {
    abi.data = host->data();
    abi.size = host->size();
    abi.capacity = host->capacity();
  }
  void commit() noexcept { host->set_size(abi.size); }
  static tenon_status grow(tenon_buffer* self, size_t additional) noexcept {
    auto* me = reinterpret_cast<AbiBuffer*>(self);  // abi is the first member
    me->host->set_size(me->abi.size);
    try {
      if (!me->host->grow(additional)) return TENON_ERR_EXHAUSTED;
    } catch (...) {
      return TENON_ERR_EXHAUSTED;
    }
    me->refresh();
    return TENON_OK;
  }
};
static_assert(offsetof(AbiBuffer, abi) == 0);

// Every slot that a reader may call.
bool is_whole(const tenon_value_sink& sink) noexcept {
  return sink.null_value && sink.boolean && sink.signed_integer && sink.unsigned_integer && sink.number &&
         sink.string && sink.binary && sink.timestamp && sink.extension && sink.begin_array && sink.end_array &&
         sink.begin_map && sink.key && sink.end_map;
}

}  // namespace

PluginSerializer::PluginSerializer(PluginServices& services, std::shared_ptr<const loader::ComponentVersion> version,
                                   std::string component, std::string instance_name)
    : PluginInstance(services, std::move(version), std::move(component), std::move(instance_name), "{}"),
      table_(table<tenon_serializer>()), read_call_(call_number("read_event")), write_call_(call_number("write_event")),
      value_call_(call_number("read_value")) {}

Result<std::unique_ptr<PluginSerializer>> PluginSerializer::make(PluginServices& services,
                                                                 const loader::Component& component,
                                                                 std::string instance_name) {
  if (component.current() == nullptr)
    return Error(errc::not_found,
                 "no plugin offers " + component.id() + " at present; put it back into a plugin directory");
  std::unique_ptr<PluginSerializer> made(
      new PluginSerializer(services, component.current(), component.id(), std::move(instance_name)));
  PluginSerializer& s = *made;
  Status created = s.create([&](tenon_error* error) { return s.table_->create(s.host(), &s.self_, error); });
  if (!created.ok()) return std::move(created).error().with_context(component.id());
  tenon_serializer_info info;
  TENON_INIT(&info);
  s.call(s.call_number("describe"), [&] { s.table_->describe(s.self_, &info); });
  if (from_abi(info.content_type).empty()) {
    s.misbehaved(PluginRule::bad_value, "described itself without a content type");
    return Error(errc::internal, component.id() + " names no content type; update the plugin", fault::plugin);
  }
  s.format_ = message::SerializationFormat::of(from_abi(info.content_type));
  s.line_safe_ = (info.flags & TENON_SERIALIZER_LINE_SAFE) != 0;
  return made;
}

PluginSerializer::~PluginSerializer() {
  end([&] { table_->destroy(self_); });
}

Error PluginSerializer::bad_value(const std::string& what) {
  misbehaved(PluginRule::bad_value, what);
  return Error(errc::internal, "the serializer " + what, fault::plugin);
}

Status PluginSerializer::read_event(std::string_view input, message::BaseMessageEnvelope& out) {
  tenon_event event;
  TENON_INIT(&event);
  TENON_TRY(checked(read_call_, [&](tenon_error* error) {
    return table_->read_event(self_, {reinterpret_cast<const std::uint8_t*>(input.data()), input.size()}, &event,
                              error);
  }));
  out.specversion = from_abi(event.specversion);
  out.id = from_abi(event.id);
  out.source = from_abi(event.source);
  out.type = from_abi(event.type);
  out.time = from_abi(event.time);
  out.subject = from_abi(event.subject);
  out.datacontenttype = from_abi(event.datacontenttype);
  out.dataschema = from_abi(event.dataschema);
  out.topic = from_abi(event.topic);
  out.target = from_abi(event.target);
  out.replyto = from_abi(event.replyto);
  out.correlationid = from_abi(event.correlationid);
  out.expirytime = from_abi(event.expirytime);
  out.traceparent = from_abi(event.traceparent);
  out.tracestate = from_abi(event.tracestate);
  if (event.priority > 10 || event.data_kind > TENON_DATA_BASE64 || event.extension_count > message::kMaxExtensions)
    return bad_value("read an event with a value out of range");
  out.priority = static_cast<std::uint8_t>(event.priority);
  out.data_kind = static_cast<message::DataKind>(event.data_kind);
  out.format = format_;
  out.data = {reinterpret_cast<const char*>(event.data.data), event.data.size};
  extensions_.clear();
  for (std::uint32_t i = 0; i < event.extension_count; ++i) {
    const tenon_attribute& a = event.extensions[i];
    if (!is_attribute_name(from_abi(a.name)) || a.type > TENON_ATTRIBUTE_BINARY)
      return bad_value("read an event with the attribute " + quote_for_message(from_abi(a.name)) + " of type " +
                       std::to_string(a.type) + ", whose name or type CloudEvents does not have");
    extensions_.push_back({from_abi(a.name), from_abi(a.value), static_cast<message::AttributeType>(a.type)});
  }
  out.extensions = extensions_;
  return {};
}

Status PluginSerializer::write_event(const message::BaseMessageEnvelope& event, message::OutputBuffer& out) {
  tenon_event abi;
  fill_abi_event(event, abi_extensions_, abi);

  const std::size_t before = out.size();
  AbiBuffer buffer(out);
  Status written = checked(
      write_call_, [&](tenon_error* error) { return table_->write_event(self_, &abi, &buffer.abi, error); }, event.id,
      event.source);
  if (written.ok()) buffer.commit();
  else out.set_size(before);
  return written;
}

Status PluginSerializer::splice(std::string_view encoded, std::span<const message::Attribute> added,
                                message::OutputBuffer& out, std::size_t& skip) {
  tenon_attribute attributes[message::kMaxExtensions];
  std::size_t count = 0;
  for (const message::Attribute& a : added)
    if (count < message::kMaxExtensions) attributes[count++] = to_abi_attribute(a);
  tenon_splice splice;
  TENON_INIT(&splice);
  const std::size_t before = out.size();
  AbiBuffer buffer(out);
  const auto function = [&](tenon_error* error) {
    return table_->splice(self_, {reinterpret_cast<const std::uint8_t*>(encoded.data()), encoded.size()}, attributes,
                          count, &buffer.abi, &splice, error);
  };
  Status spliced = checked(write_call_, function, event_id_, source_);
  if (spliced.ok() && splice.skip > encoded.size()) spliced = bad_value("spliced with a skip beyond the event's end");
  if (!spliced.ok()) {
    out.set_size(before);
    return spliced;
  }
  buffer.commit();
  skip = splice.skip;
  return {};
}

Status PluginSerializer::transcode_from(message::MessageSerializer& source, std::string_view value,
                                        message::OutputBuffer& out) {
  auto& reader = static_cast<PluginSerializer&>(source);  // every serializer of the host is a plugin's
  const std::size_t before = out.size();
  AbiBuffer buffer(out);
  tenon_value_sink sink;
  TENON_INIT(&sink);
  const auto traced = [this](PluginSerializer& of, auto&& function) {
    return of.checked(of.value_call_, function, event_id_, source_);
  };
  TENON_TRY(traced(*this, [&](tenon_error* error) { return table_->write_value(self_, &buffer.abi, &sink, error); }));
  if (!is_whole(sink)) {
    out.set_size(before);
    static_cast<void>(traced(*this, [&](tenon_error* error) { return table_->finish_value(self_, error); }));
    return bad_value("began a value with a sink that lacks functions");
  }
  Status read = traced(reader, [&](tenon_error* error) {
    return reader.table_->read_value(reader.self_, {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()},
                                     &sink, error);
  });
  Status finished = traced(*this, [&](tenon_error* error) { return table_->finish_value(self_, error); });
  if (!read.ok()) {
    out.set_size(before);
    // The sink's refusal says more than the reader's echo of it.
    if (!finished.ok() && read.error().code == finished.error().code) return finished;
    return read;
  }
  if (!finished.ok()) {
    out.set_size(before);
    return finished;
  }
  buffer.commit();
  return {};
}

Result<std::unique_ptr<message::MessageSerializer>> PluginSerializers::make(std::string_view name,
                                                                            std::string instance_name) {
  const loader::Component* component = registry_.find(TENON_KIND_SERIALIZER, name);
  if (component == nullptr || component->current() == nullptr)
    return Error(errc::not_found, registry_.why_missing(TENON_KIND_SERIALIZER, name), fault::caller);
  auto made = PluginSerializer::make(services_, *component, std::move(instance_name));
  if (!made.ok()) return std::move(made).error();
  return std::unique_ptr<message::MessageSerializer>(std::move(*made));
}

template <class Matches>
std::pair<const loader::Component*, PluginSerializer*> PluginSerializers::find(Matches&& matches) {
  for (const loader::Component* component : registry_.components()) {
    if (component->kind() != TENON_KIND_SERIALIZER || component->current() == nullptr) continue;
    auto& reader = readers_[component->name()];
    if (reader == nullptr || &reader->version() != component->current().get()) {
      auto made = PluginSerializer::make(services_, *component, "reader");
      if (!made.ok()) continue;
      reader = std::move(*made);
    }
    if (matches(reader->format())) return {component, reader.get()};
  }
  return {};
}

message::MessageSerializer* PluginSerializers::reader_for(message::SerializationFormat format) {
  return find([&](message::SerializationFormat offered) { return offered == format; }).second;
}

std::string PluginSerializers::name_for(std::string_view encoding) {
  const auto reads = [&](message::SerializationFormat offered) { return offered.content_type() == encoding; };
  const loader::Component* component = find(reads).first;
  return component == nullptr ? std::string() : std::string(component->name());
}

}  // namespace tenon::integration
