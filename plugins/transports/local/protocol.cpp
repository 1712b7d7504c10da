#include "protocol.hpp"

#include <array>

#include "../shared/subject.hpp"

namespace tenon::local {

namespace {

// Reads front to back; after the first read beyond the end every further one yields nothing and ok() is false.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> in) : in_(in) {}
  template <class Integer>
  Integer integer() {
    if (!take(sizeof(Integer))) return 0;
    std::uint64_t value = 0;
    for (const std::uint8_t octet : last_) value = value << 8 | octet;
    return static_cast<Integer>(value);
  }
  std::string_view text8() { return text(integer<std::uint8_t>()); }
  std::string_view text16() { return text(integer<std::uint16_t>()); }
  std::span<const std::uint8_t> rest() {
    take(in_.size());
    return last_;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && in_.empty(); }

 private:
  bool take(std::size_t size) {
    if (!ok_ || size > in_.size()) {
      ok_ = false;
      last_ = {};
      return false;
    }
    last_ = in_.first(size);
    in_ = in_.subspan(size);
    return true;
  }
  std::string_view text(std::size_t size) {
    if (!take(size)) return {};
    return {reinterpret_cast<const char*>(last_.data()), last_.size()};
  }
  std::span<const std::uint8_t> in_, last_;
  bool ok_ = true;
};

const char* read_message(Reader& in, Message& out) {
  out.topic = in.text16();
  out.origin = in.text8();
  out.hops = in.integer<std::uint8_t>();
  out.content_type = in.text8();
  out.encoded = in.rest();
  if (!in.ok()) return "a message that ends too early";
  if (transports::subject_fault(out.topic) != nullptr) return "an illegal topic";
  if (out.origin.empty()) return "a message without origin";
  if (out.encoded.empty()) return "a message without event";
  return nullptr;
}

const char* read_subscribe(Reader& in, Frame& out) {
  out.subscription = in.integer<std::uint64_t>();
  out.text = in.text16();
  out.group = in.text8();
  if (!in.ok()) return "a subscription that ends too early";
  if (transports::pattern_fault(out.text) != nullptr) return "an illegal pattern";
  if (!out.group.empty() && transports::group_fault(out.group) != nullptr) return "an illegal group";
  return nullptr;
}

const char* read_deliver(Reader& in, Frame& out) {
  const auto count = in.integer<std::uint16_t>();
  if (count == 0 || count > kDeliverAccepted) return "a delivery to no subscription or too many";
  out.subscriptions.clear();
  for (std::uint16_t i = 0; i < count && in.ok(); ++i) out.subscriptions.push_back(in.integer<std::uint64_t>());
  out.text = in.text8();
  return read_message(in, out.message);
}

const char* read_body(Reader& in, Frame& out) {
  switch (out.type) {
    case FrameType::hello:
    case FrameType::welcome:
      out.text = in.text8();
      out.amount = in.integer<std::uint32_t>();
      if (in.ok() && out.text.empty()) return "a host without a node name";
      return nullptr;
    case FrameType::subscribe: return read_subscribe(in, out);
    case FrameType::unsubscribe: out.subscription = in.integer<std::uint64_t>(); return nullptr;
    case FrameType::request: out.amount = in.integer<std::uint32_t>(); return read_message(in, out.message);
    case FrameType::deliver: return read_deliver(in, out);
    case FrameType::reply: out.text = in.text8(); return read_message(in, out.message);
    case FrameType::event:
    case FrameType::answer: return read_message(in, out.message);
    case FrameType::ack:
      out.amount = in.integer<std::uint8_t>();
      out.text = in.text8();
      return nullptr;
    case FrameType::ping:
    case FrameType::pong: return nullptr;
  }
  return "a frame of unknown type";
}

// Appends a frame; its length is filled in when the writer goes.
class Writer {
 public:
  Writer(std::string& out, FrameType type, std::uint64_t number) : out_(out), start_(out.size()) {
    out_.append(kLengthSize, '\0');
    integer(static_cast<std::uint8_t>(type));
    integer(std::uint8_t{0});
    integer(number);
  }
  ~Writer() {
    auto size = static_cast<std::uint32_t>(out_.size() - start_ - kLengthSize);
    for (std::size_t i = kLengthSize; i-- > 0; size >>= 8) out_[start_ + i] = static_cast<char>(size & 0xff);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  template <class Integer>
  void integer(Integer value) {
    std::array<char, sizeof(Integer)> octets;
    auto rest = static_cast<std::uint64_t>(value);
    for (std::size_t i = octets.size(); i-- > 0; rest >>= 8) octets[i] = static_cast<char>(rest & 0xff);
    out_.append(octets.data(), octets.size());
  }
  void text8(std::string_view text) {
    text = text.substr(0, kTextMax);
    integer(static_cast<std::uint8_t>(text.size()));
    out_.append(text);
  }
  void text16(std::string_view text) {
    integer(static_cast<std::uint16_t>(text.size()));
    out_.append(text);
  }
  void message(const Message& message) {
    text16(message.topic);
    text8(message.origin);
    integer(message.hops);
    text8(message.content_type);
    out_.append(reinterpret_cast<const char*>(message.encoded.data()), message.encoded.size());
  }

 private:
  std::string& out_;
  std::size_t start_;
};

}  // namespace

const char* decode(std::span<const std::uint8_t> octets, Frame& out) {
  Reader in(octets);
  const auto type = in.integer<std::uint8_t>();
  const auto flags = in.integer<std::uint8_t>();
  out.number = in.integer<std::uint64_t>();
  if (!in.ok()) return "a frame shorter than its header";
  if (type < static_cast<std::uint8_t>(FrameType::hello) || type > static_cast<std::uint8_t>(FrameType::pong))
    return "a frame of unknown type";
  if (flags != 0) return "flags that this version does not know";
  out.type = static_cast<FrameType>(type);
  if (const char* fault = read_body(in, out)) return fault;
  return in.at_end() ? nullptr : "a frame of the wrong size";
}

void write_hello(std::string& out, FrameType type, std::uint64_t number, std::string_view node,
                 std::uint32_t max_frame) {
  Writer writer(out, type, number);
  writer.text8(node);
  writer.integer(max_frame);
}

void write_subscribe(std::string& out, std::uint64_t exchange, std::uint64_t subscription, std::string_view pattern,
                     std::string_view group) {
  Writer writer(out, FrameType::subscribe, exchange);
  writer.integer(subscription);
  writer.text16(pattern);
  writer.text8(group);
}

void write_unsubscribe(std::string& out, std::uint64_t exchange, std::uint64_t subscription) {
  Writer(out, FrameType::unsubscribe, exchange).integer(subscription);
}

void write_event(std::string& out, std::uint64_t exchange, const Message& message) {
  Writer(out, FrameType::event, exchange).message(message);
}

void write_request(std::string& out, std::uint64_t exchange, std::uint32_t milliseconds, const Message& message) {
  Writer writer(out, FrameType::request, exchange);
  writer.integer(milliseconds);
  writer.message(message);
}

void write_deliver(std::string& out, std::span<const std::uint64_t> subscriptions, std::string_view reply,
                   const Message& message) {
  Writer writer(out, FrameType::deliver, 0);
  writer.integer(static_cast<std::uint16_t>(subscriptions.size()));
  for (const std::uint64_t subscription : subscriptions) writer.integer(subscription);
  writer.text8(reply);
  writer.message(message);
}

void write_reply(std::string& out, std::uint64_t exchange, std::string_view reply, const Message& message) {
  Writer writer(out, FrameType::reply, exchange);
  writer.text8(reply);
  writer.message(message);
}

void write_answer(std::string& out, std::uint64_t exchange, const Message& message) {
  Writer(out, FrameType::answer, exchange).message(message);
}

void write_ack(std::string& out, std::uint64_t exchange, std::uint8_t status, std::string_view why) {
  Writer writer(out, FrameType::ack, exchange);
  writer.integer(status);
  writer.text8(why);
}

void write_ping(std::string& out, FrameType type, std::uint64_t exchange) { Writer(out, type, exchange); }

}  // namespace tenon::local
