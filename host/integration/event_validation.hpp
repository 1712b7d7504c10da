// Checks events against the schemas of their types: the data as JSON, whatever encoding they came in.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/result.hpp"
#include "integration/host_config.hpp"
#include "message/serialization.hpp"
#include "message/validation.hpp"

namespace tenon::integration {

class EventValidation {
 public:
  EventValidation(SchemaMode mode, message::SerializerDirectory& serializers)
      : mode_(mode), serializers_(serializers) {}

  // Compiles the schemas. errc::bad_data names file and place: a bad schema is a config error. `json` makes JSON of
  // other encodings; it must outlive this.
  Status load(const std::vector<message::SchemaText>& schemas, message::MessageSerializer& json);

  // Other schemas and another mode from now on. An error, as of load(), leaves everything as it was.
  Status replace(SchemaMode mode, const std::vector<message::SchemaText>& schemas);

  // errc::bad_data with JSON pointer, value and rule when the event breaks the schema of its type and the mode enforces
  // it. In mode `warn` it is logged and passes.
  Status check(const message::Event& event);
  std::size_t size() const noexcept { return schemas_.size(); }

 private:
  Result<std::string_view> data_as_json(const message::BaseMessageEnvelope& envelope);

  SchemaMode mode_;
  message::SerializerDirectory& serializers_;
  message::MessageSerializer* json_ = nullptr;
  message::SchemaRegistry schemas_;
  message::GrowingBuffer buffer_{64 * 1024 * 1024};
  std::string decoded_;
};

}  // namespace tenon::integration
