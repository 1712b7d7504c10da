// Events on their way into our own host, and where they wait while it has no room.
//
// The model. An event is offered to the host at once. When the host answers TENON_ERR_EXHAUSTED, it and all that follow
// wait here, in order, within a limit of octets; beyond that they are dropped, counted by subscription and reported to
// the host as slow consumption. resume() offers them again. Loop thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <tenon/sdk/host.hpp>
#include <tenon/transport.h>

#include "protocol.hpp"

namespace tenon::local {

// A tenon_message over the views of `message`.
inline tenon_message to_abi(const Message& message, std::string_view reply) noexcept {
  tenon_message out;
  TENON_INIT(&out);
  out.hops = message.hops;
  out.topic = sdk::to_abi(message.topic);
  out.encoded = {message.encoded.data(), message.encoded.size()};
  out.content_type = sdk::to_abi(message.content_type);
  if (!reply.empty()) out.reply = sdk::to_abi(reply);
  out.origin = sdk::to_abi(message.origin);
  return out;
}

class Inbox {
 public:
  Inbox(sdk::Host host, std::size_t max_octets) : host_(host), max_octets_(max_octets) {}

  // False: dropped, and reported as such.
  bool offer(std::uint64_t subscription, const Message& message, std::string_view reply);
  void resume();
  void forget(std::uint64_t subscription);

 private:
  struct Waiting {
    std::uint64_t subscription;
    std::string topic, origin, content_type, reply;
    std::uint8_t hops;
    std::string encoded;
    std::size_t octets() const noexcept { return sizeof(Waiting) + topic.size() + encoded.size(); }
  };
  bool hand_over(std::uint64_t subscription, const Message& message, std::string_view reply);

  sdk::Host host_;
  std::size_t max_octets_;
  std::size_t octets_ = 0;
  std::deque<Waiting> waiting_;
};

}  // namespace tenon::local
