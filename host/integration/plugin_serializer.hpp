// Serializer plugins as the host's MessageSerializer.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/serializer.h>

#include "integration/plugin_instance.hpp"
#include "loader/plugin_registry.hpp"
#include "message/serialization.hpp"

namespace tenon::integration {

class PluginSerializer final : public message::MessageSerializer, private PluginInstance {
 public:
  static Result<std::unique_ptr<PluginSerializer>> make(PluginServices& services, const loader::Component& component,
                                                        std::string instance_name);
  ~PluginSerializer() override;

  message::SerializationFormat format() const noexcept override { return format_; }
  bool line_safe() const noexcept override { return line_safe_; }
  void on_behalf_of(std::string_view event_id, std::string_view source) override {
    event_id_ = event_id, source_ = source;
  }
  Status read_event(std::string_view input, message::BaseMessageEnvelope& out) override;
  Status write_event(const message::BaseMessageEnvelope& event, message::OutputBuffer& out) override;
  Status splice(std::string_view encoded, std::span<const message::Attribute> added, message::OutputBuffer& out,
                std::size_t& skip) override;
  Status transcode_from(message::MessageSerializer& source, std::string_view value,
                        message::OutputBuffer& out) override;

  using PluginInstance::version;

 private:
  PluginSerializer(PluginServices& services, std::shared_ptr<const loader::ComponentVersion> version,
                   std::string component, std::string instance_name);
  // What the plugin must not return: counted, and an error.
  Error bad_value(const std::string& what);

  const tenon_serializer* table_;
  void* self_ = nullptr;
  message::SerializationFormat format_;
  bool line_safe_ = false;
  std::string_view event_id_, source_;  // of the event that is encoded now
  std::uint32_t read_call_, write_call_, value_call_;
  std::vector<message::Attribute> extensions_;
  std::vector<tenon_attribute> abi_extensions_;
};

// Makes serializers by component name and keeps one of each as the reader for transcoding. [loop]
class PluginSerializers final : public message::SerializerDirectory {
 public:
  PluginSerializers(PluginServices& services, const loader::PluginRegistry& registry)
      : services_(services), registry_(registry) {}
  // errc::not_found names what to do when no plugin offers it.
  Result<std::unique_ptr<message::MessageSerializer>> make(std::string_view name, std::string instance_name);
  message::MessageSerializer* reader_for(message::SerializationFormat format) override;
  // The loaded component that reads this encoding ("application/json"); empty if none does.
  std::string name_for(std::string_view encoding);

 private:
  template <class Matches>
  std::pair<const loader::Component*, PluginSerializer*> find(Matches&& matches);

  PluginServices& services_;
  const loader::PluginRegistry& registry_;
  std::map<std::string, std::unique_ptr<PluginSerializer>> readers_;  // by component name
};

}  // namespace tenon::integration
