// What the tests, benches and fuzz targets of serializers share: input with hostile padding, the host's growing buffer,
// one instance of a serializer behind its C table, and a sink that writes down what it is told.
#pragma once

#include <tenon/serializer.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/loaded_plugin.hpp"

namespace tenon::test_support {

// A heap copy of an input with exactly TENON_READ_PADDING octets behind it, filled with what would change the meaning
// of a text that is read too far. A sanitizer sees whoever reads further.
class Input {
 public:
  explicit Input(std::string_view octets, char padding = '7')
      : size_(octets.size()), memory_(new std::uint8_t[octets.size() + TENON_READ_PADDING]) {
    if (size_ != 0) std::memcpy(memory_.get(), octets.data(), size_);
    std::memset(memory_.get() + size_, padding, TENON_READ_PADDING);
  }
  tenon_bytes bytes() const noexcept { return {memory_.get(), size_}; }
  bool holds(const void* at) const noexcept {
    const auto* octet = static_cast<const std::uint8_t*>(at);
    return octet >= memory_.get() && octet <= memory_.get() + size_;
  }

 private:
  std::size_t size_;
  std::unique_ptr<std::uint8_t[]> memory_;
};

// The host's side of tenon_buffer, which grows up to a limit.
class Buffer {
 public:
  explicit Buffer(std::size_t limit = std::size_t{1} << 30) : limit_(limit) {
    TENON_INIT(&raw_);
    raw_.grow = &Buffer::grow;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  tenon_buffer& raw() noexcept { return raw_; }
  void clear() noexcept { raw_.size = 0; }
  std::string_view view() const noexcept { return {reinterpret_cast<const char*>(raw_.data), raw_.size}; }
  std::string text() const { return std::string(view()); }

 private:
  static tenon_status grow(tenon_buffer* raw, std::size_t additional) {
    auto* self = reinterpret_cast<Buffer*>(raw);  // raw_ is the first member of a standard-layout class
    if (raw->size + additional > self->limit_) return TENON_ERR_EXHAUSTED;
    self->memory_.resize(std::min(self->limit_, std::max<std::size_t>(256, 2 * (raw->size + additional))));
    raw->data = self->memory_.data();
    raw->capacity = self->memory_.size();
    return TENON_OK;
  }
  tenon_buffer raw_;
  std::size_t limit_;
  std::vector<std::uint8_t> memory_;
};

struct Outcome {
  tenon_status status = TENON_OK;
  std::uint32_t fault = 0;
  std::string text;  // of the error; empty on success
  bool ok() const noexcept { return status == TENON_OK; }
};

// Writes the calls of a value stream as one line: null true i-1 u2 n3.5 "text" b<octets> t1,2 x5<octets> [ , ] { key: …
// }.
class Record {
 public:
  explicit Record(tenon_status refuse_binary = TENON_OK) : refuse_binary_(refuse_binary) {
    TENON_INIT(&sink_);
    sink_.context = this;
    sink_.null_value = [](void* c) { return put(c, "null"); };
    sink_.boolean = [](void* c, std::uint32_t v) { return put(c, v != 0 ? "true" : "false"); };
    sink_.signed_integer = [](void* c, std::int64_t v) { return put(c, "i" + std::to_string(v)); };
    sink_.unsigned_integer = [](void* c, std::uint64_t v) { return put(c, "u" + std::to_string(v)); };
    sink_.number = [](void* c, double v) {
      char text[32];
      return put(c, "n" + std::string(text, std::to_chars(text, text + sizeof text, v).ptr));
    };
    sink_.string = [](void* c, tenon_str v) { return put(c, '"' + std::string(v.data, v.size) + '"'); };
    sink_.binary = [](void* c, tenon_bytes v) {
      const tenon_status refused = static_cast<Record*>(c)->refuse_binary_;
      return refused != TENON_OK ? refused : put(c, "b<" + octets(v) + ">");
    };
    sink_.timestamp = [](void* c, std::int64_t s, std::uint32_t n) {
      return put(c, "t" + std::to_string(s) + "," + std::to_string(n));
    };
    sink_.extension = [](void* c, std::int32_t t, tenon_bytes v) {
      return put(c, "x" + std::to_string(t) + "<" + octets(v) + ">");
    };
    sink_.begin_array = [](void* c, std::uint64_t n) { return put(c, "[" + count(n)); };
    sink_.end_array = [](void* c) { return put(c, "]"); };
    sink_.begin_map = [](void* c, std::uint64_t n) { return put(c, "{" + count(n)); };
    sink_.key = [](void* c, tenon_str v) { return put(c, std::string(v.data, v.size) + ":"); };
    sink_.end_map = [](void* c) { return put(c, "}"); };
  }
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  const tenon_value_sink& sink() const noexcept { return sink_; }
  const std::string& text() const noexcept { return text_; }

 private:
  static tenon_status put(void* context, const std::string& word) {
    std::string& text = static_cast<Record*>(context)->text_;
    if (!text.empty()) text += ' ';
    text += word;
    return TENON_OK;
  }
  static std::string octets(tenon_bytes v) { return std::string(reinterpret_cast<const char*>(v.data), v.size); }
  static std::string count(std::uint64_t n) { return n == UINT64_MAX ? "?" : std::to_string(n); }

  tenon_value_sink sink_;
  tenon_status refuse_binary_;
  std::string text_;
};

// One instance of a serializer, called through its C table. Serializers ask nothing of their host.
class Instance {
 public:
  explicit Instance(const std::string& name) : table_(&LoadedPlugin::open(name).serializer(name)) {
    TENON_INIT(&host_);
    tenon_error error;
    TENON_INIT(&error);
    if (table_->create(&host_, &self_, &error) != TENON_OK) std::abort();
  }
  ~Instance() { table_->destroy(self_); }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const tenon_serializer& table() const noexcept { return *table_; }
  void* self() const noexcept { return self_; }

  Outcome read_event(const Input& input, tenon_event& event) {
    return call([&](tenon_error* error) { return table_->read_event(self_, input.bytes(), &event, error); });
  }
  Outcome write_event(const tenon_event& event, Buffer& out) {
    return call([&](tenon_error* error) { return table_->write_event(self_, &event, &out.raw(), error); });
  }
  Outcome read_value(const Input& input, const tenon_value_sink& sink) {
    return call([&](tenon_error* error) { return table_->read_value(self_, input.bytes(), &sink, error); });
  }
  Outcome write_value(Buffer& out, tenon_value_sink& sink) {
    TENON_INIT(&sink);
    return call([&](tenon_error* error) { return table_->write_value(self_, &out.raw(), &sink, error); });
  }
  Outcome finish_value() {
    return call([&](tenon_error* error) { return table_->finish_value(self_, error); });
  }
  // The whole encoded event with the attributes in front.
  Outcome splice(const Input& encoded, const std::vector<tenon_attribute>& added, std::string& whole) {
    Buffer front;
    tenon_splice splice;
    TENON_INIT(&splice);
    const Outcome outcome = call([&](tenon_error* error) {
      return table_->splice(self_, encoded.bytes(), added.data(), added.size(), &front.raw(), &splice, error);
    });
    const tenon_bytes input = encoded.bytes();
    if (outcome.ok()) {
      whole =
          front.text() + std::string(reinterpret_cast<const char*>(input.data) + splice.skip, input.size - splice.skip);
    }
    return outcome;
  }

 private:
  template <class Call>
  static Outcome call(Call&& body) {
    tenon_error error;
    TENON_INIT(&error);
    Outcome outcome;
    outcome.status = body(&error);
    if (!outcome.ok()) {
      outcome.fault = error.fault;
      outcome.text.assign(error.text, error.text_size);
    }
    return outcome;
  }

  const tenon_serializer* table_;
  tenon_host host_;
  void* self_ = nullptr;
};

// Reads a value with one serializer and writes it with another, which may be the same kind but not the same instance.
inline Outcome transcode(Instance& from, const Input& input, Instance& to, Buffer& out) {
  tenon_value_sink sink;
  Outcome outcome = to.write_value(out, sink);
  if (!outcome.ok()) return outcome;
  const Outcome read = from.read_value(input, sink);
  const Outcome finished = to.finish_value();
  // If it was the sink that refused, its writer knows why.
  return read.ok() || read.status == finished.status ? finished : read;
}

inline tenon_str str(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(tenon_str text) { return {text.data == nullptr ? "" : text.data, text.size}; }
inline std::string_view view(tenon_bytes octets) {
  return {octets.data == nullptr ? "" : reinterpret_cast<const char*>(octets.data), octets.size};
}
inline tenon_bytes bytes(std::string_view octets) {
  return {reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()};
}
inline tenon_attribute attribute(std::string_view name, std::string_view value, std::uint32_t type) {
  return {str(name), str(value), type, 0};
}

// All that an event says, one `name=value` a line, in the order of tenon_event; for comparing two events.
inline std::string dump(const tenon_event& event) {
  std::string out;
  const auto line = [&out](std::string_view name, tenon_str value) {
    if (value.data != nullptr) (out += name) += "=" + std::string(view(value)) + "\n";
  };
  line("specversion", event.specversion), line("id", event.id), line("source", event.source), line("type", event.type);
  line("time", event.time), line("subject", event.subject), line("datacontenttype", event.datacontenttype);
  line("dataschema", event.dataschema), line("topic", event.topic), line("target", event.target);
  line("replyto", event.replyto), line("correlationid", event.correlationid), line("expirytime", event.expirytime);
  line("traceparent", event.traceparent), line("tracestate", event.tracestate);
  if (event.priority != 0) out += "priority=" + std::to_string(event.priority) + "\n";
  for (std::uint32_t i = 0; i < event.extension_count; ++i) {
    line(std::string(view(event.extensions[i].name)) + ":" + std::to_string(event.extensions[i].type),
         event.extensions[i].value);
  }
  if (event.data_kind != TENON_DATA_NONE) {
    out += "data:" + std::to_string(event.data_kind) + "=" + std::string(view(event.data)) + "\n";
  }
  return out;
}

}  // namespace tenon::test_support
