#include "integration/event_validation.hpp"

#include "common/encoding.hpp"
#include "common/logging.hpp"

namespace tenon::integration {

Status EventValidation::load(const std::vector<message::SchemaText>& schemas, message::MessageSerializer& json) {
  json_ = &json;
  for (const message::SchemaText& schema : schemas) TENON_TRY(schemas_.add(schema.text, schema.file));
  return {};
}

Status EventValidation::replace(SchemaMode mode, const std::vector<message::SchemaText>& schemas) {
  message::SchemaRegistry fresh;
  for (const message::SchemaText& schema : schemas) TENON_TRY(fresh.add(schema.text, schema.file));
  schemas_ = std::move(fresh);
  mode_ = mode;
  return {};
}

Result<std::string_view> EventValidation::data_as_json(const message::BaseMessageEnvelope& e) {
  using message::DataKind;
  const auto json = message::SerializationFormat::of("application/json");
  if (e.data_kind == DataKind::none) return std::string_view();
  if (e.data_kind == DataKind::value && e.format == json) return e.data;
  if (e.data_kind != DataKind::value)
    return Error(errc::bad_data, "the schema of this type wants a JSON or MessagePack value as data, not bytes",
                 fault::caller);
  message::MessageSerializer* reader = serializers_.reader_for(e.format);
  if (reader == nullptr) return Error(errc::untranslatable, "no serializer reads the event's data; install one");
  TENON_TRY(json_->transcode_from(*reader, e.data, buffer_));
  // Readers may look past the end.
  if (buffer_.capacity() - buffer_.size() < message::kReadPadding && !buffer_.grow(message::kReadPadding))
    return Error(errc::exhausted, "the event's data is too large to be validated");
  return buffer_.view();
}

Status EventValidation::check(const message::Event& event) {
  if (mode_ == SchemaMode::off) return {};
  const message::Schema* schema = schemas_.find(event.envelope.type, event.envelope.dataschema);
  if (schema == nullptr) return {};
  auto data = data_as_json(event.envelope);
  Status valid = data.ok() ? schema->check(*data) : Status(std::move(data).error());
  buffer_.clear_large();
  if (valid.ok() || mode_ == SchemaMode::enforce) return valid;
  log::warn("message", "an event breaks the schema of its type",
            {{"id", event.envelope.id}, {"type", event.envelope.type}, {"why", valid.error().message}});
  return {};
}

}  // namespace tenon::integration
