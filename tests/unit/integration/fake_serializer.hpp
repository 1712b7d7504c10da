// A serializer for tests that calls itself JSON: events are texts like {type=a;id=7;data={"n":1}}, `data` last.
//
// It is as strict as the contract allows: what read_event returned points into the serializer and is overwritten by the
// next call of any kind, so that code which keeps views for too long shows it.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "message/serialization.hpp"

namespace tenon::integration {

class FakeSerializer final : public message::MessageSerializer {
 public:
  message::SerializationFormat format() const noexcept override {
    return message::SerializationFormat::of("application/json");
  }
  bool line_safe() const noexcept override { return true; }

  Status read_event(std::string_view input, message::BaseMessageEnvelope& out) override {
    next_call();
    if (!input.starts_with('{') && !input.starts_with(' ')) return malformed("found no {");
    if (!input.ends_with('}')) return malformed("found no } at the end");
    std::string_view rest = keep(input);
    rest.remove_prefix(rest.find('{') + 1);
    rest.remove_suffix(1);
    while (!rest.empty()) {
      const std::size_t equals = rest.find('=');
      if (equals == std::string_view::npos) return malformed("found a key without a value");
      const std::string_view key = rest.substr(0, equals);
      rest.remove_prefix(equals + 1);
      if (key == "data") {
        out.data_kind = message::DataKind::value;
        out.format = format();
        out.data = rest;
        break;
      }
      const std::string_view value = rest.substr(0, rest.find(';'));
      set(out, key, value);
      rest.remove_prefix(std::min(value.size() + 1, rest.size()));
    }
    out.extensions = extensions_;
    return {};
  }

  Status write_event(const message::BaseMessageEnvelope& event, message::OutputBuffer& out) override {
    next_call();
    std::string text = "{";
    for (const message::EnvelopeField& f : message::envelope_fields())
      if (const std::string_view value = event.*f.field; !value.empty())
        text += std::string(f.name) + "=" + std::string(value) + ";";
    for (const message::Attribute& a : event.extensions) text += std::string(a.name) + "=" + std::string(a.value) + ";";
    if (event.data_kind == message::DataKind::none && text.size() > 1) text.pop_back();
    else text += "data=" + std::string(event.data);
    if (out.append(text + "}")) return {};
    return Error(errc::exhausted, "no room");
  }

  Status splice(std::string_view, std::span<const message::Attribute>, message::OutputBuffer&, std::size_t&) override {
    next_call();
    return Error(errc::unsupported, "write it anew");
  }
  Status transcode_from(message::MessageSerializer&, std::string_view value, message::OutputBuffer& out) override {
    next_call();
    if (out.append(value)) return {};
    return Error(errc::exhausted, "no room");
  }

 private:
  static Error malformed(const char* what) { return Error(errc::bad_data, what, fault::caller); }
  std::string_view keep(std::string_view text) {
    kept_.push_back(std::string(text));
    return kept_.back();
  }
  void next_call() {
    extensions_.clear();
    for (std::string& text : kept_) std::fill(text.begin(), text.end(), '#');
    while (kept_.size() > 4) kept_.pop_front();  // for a while readable, so that the test fails and not the sanitizer
  }
  void set(message::BaseMessageEnvelope& out, std::string_view key, std::string_view value) {
    for (const message::EnvelopeField& f : message::envelope_fields()) {
      if (f.name != key) continue;
      out.*f.field = value;
      return;
    }
    extensions_.push_back({key, value, message::AttributeType::string});
  }

  std::deque<std::string> kept_;
  std::vector<message::Attribute> extensions_;
};

class FakeSerializers final : public message::SerializerDirectory {
 public:
  message::MessageSerializer* reader_for(message::SerializationFormat) override { return &reader_; }

 private:
  FakeSerializer reader_;
};

}  // namespace tenon::integration
