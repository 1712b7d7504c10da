// An event that the host makes: owns its texts, borrows nothing.
#pragma once

#include <string>
#include <string_view>

#include "message/event.hpp"
#include "message/serialization.hpp"

namespace tenon::integration {

// The JSON text of `data` is kept with the padding that readers need. Movable only as long as event() was not called.
class HostEvent {
 public:
  HostEvent(std::string type, std::string source) : type_(std::move(type)), source_(std::move(source)) {}

  HostEvent& id(std::string id) { return id_ = std::move(id), *this; }
  HostEvent& time(std::string time) { return time_ = std::move(time), *this; }
  HostEvent& subject(std::string subject) { return subject_ = std::move(subject), *this; }
  HostEvent& correlationid(std::string id) { return correlationid_ = std::move(id), *this; }
  HostEvent& json(std::string text) {
    data_size_ = text.size();
    data_ = std::move(text);
    data_.resize(data_size_ + message::kReadPadding);
    return *this;
  }

  // Points into this object.
  message::Event event() const {
    message::Event event;
    message::BaseMessageEnvelope& e = event.envelope;
    e.specversion = "1.0";
    e.id = id_;
    e.source = source_;
    e.type = type_;
    e.time = time_;
    e.subject = subject_;
    e.correlationid = correlationid_;
    if (data_size_ != 0) {
      e.datacontenttype = "application/json";
      e.format = message::SerializationFormat::of("application/json");
      e.data_kind = message::DataKind::value;
      e.data = std::string_view(data_).substr(0, data_size_);
    }
    return event;
  }
  const std::string& type() const noexcept { return type_; }

 private:
  std::string type_, source_, id_, time_, subject_, correlationid_, data_;
  std::size_t data_size_ = 0;
};

}  // namespace tenon::integration
