// Any octets as a frame of transport/local, from whoever may connect to its socket. What is accepted keeps the limits
// of the protocol and is exactly what the writers make of it.
#include <cstdint>

#include "../plugins/transports/local/protocol.hpp"
#include "../plugins/transports/shared/subject.hpp"
#include "fuzz/must.hpp"

namespace {

using namespace tenon::local;
using tenon::fuzz::must;

// The frame as a writer makes it, without its length.
std::string rewritten(const Frame& frame) {
  std::string out;
  switch (frame.type) {
    case FrameType::hello:
    case FrameType::welcome: write_hello(out, frame.type, frame.number, frame.text, frame.amount); break;
    case FrameType::subscribe:
      write_subscribe(out, frame.number, frame.subscription, frame.text, frame.group);
      break;
    case FrameType::unsubscribe: write_unsubscribe(out, frame.number, frame.subscription); break;
    case FrameType::event: write_event(out, frame.number, frame.message); break;
    case FrameType::request: write_request(out, frame.number, frame.amount, frame.message); break;
    case FrameType::deliver: write_deliver(out, frame.subscriptions, frame.text, frame.message); break;
    case FrameType::reply: write_reply(out, frame.number, frame.text, frame.message); break;
    case FrameType::answer: write_answer(out, frame.number, frame.message); break;
    case FrameType::ack: write_ack(out, frame.number, static_cast<std::uint8_t>(frame.amount), frame.text); break;
    case FrameType::ping:
    case FrameType::pong: write_ping(out, frame.type, frame.number); break;
  }
  must(out.size() > kLengthSize, "every type has a writer");
  return out.substr(kLengthSize);
}

bool carries_a_message(FrameType type) {
  return type == FrameType::event || type == FrameType::request || type == FrameType::deliver ||
         type == FrameType::reply || type == FrameType::answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Frame frame;  // reused, as by a stream: nothing of the frame before may show
  if (const char* fault = decode({data, size}, frame)) {
    must(*fault != '\0', "a refusal says why");
    return 0;
  }
  if (carries_a_message(frame.type)) {
    must(tenon::transports::subject_fault(frame.message.topic) == nullptr, "a topic is a subject");
    must(!frame.message.origin.empty() && !frame.message.encoded.empty(), "a message has an origin and an event");
  }
  if (frame.type == FrameType::subscribe)
    must(tenon::transports::pattern_fault(frame.text) == nullptr, "a subscription has a pattern");
  if (frame.type == FrameType::deliver) {
    must(!frame.subscriptions.empty() && frame.subscriptions.size() <= kDeliverAccepted, "a delivery goes to some");
    if (frame.number != 0) return 0;  // a delivery asks for no answer; its number is read past
  }
  must(rewritten(frame) == std::string_view(reinterpret_cast<const char*>(data), size),
       "decode accepts only what the writers make");
  return 0;
}
