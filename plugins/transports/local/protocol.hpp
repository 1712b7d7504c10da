// The wire format of transport/local, version 1: what one host and another on the same machine say over a unix socket.
//
// The model. One host listens, the others connect. The connecting side says HELLO, its subscriptions and a PING; the
// listener answers WELCOME and PONG, and with the PONG all subscriptions are in force. From then on both sides speak
// when they like. A frame that asks for an answer carries a number other than 0, unique on its connection; the answer
// repeats it.
//
//   frame    := u32 size of the rest | u8 type | u8 flags (0) | u64 number | body
//   text8    := u8 size, octets        text16 := u16 size, octets        all integers big-endian
//   message  := text16 topic | text8 origin node | u8 hops | text8 content type | the encoded event, to the frame's end
//
//   type            from      number      body                                                  answer
//   1  HELLO        client    version     text8 node | u32 largest frame it accepts             WELCOME
//   2  WELCOME      listener  nonce       text8 node | u32 largest frame it accepts
//   3  SUBSCRIBE    client    exchange    u64 subscription | text16 pattern | text8 group       ACK
//   4  UNSUBSCRIBE  client    exchange    u64 subscription                                      ACK
//   5  EVENT        client    exchange|0  message                                               ACK unless 0
//   6  REQUEST      client    exchange    u32 milliseconds to wait | message                    ANSWER, or ACK: why not
//   7  DELIVER      listener  0           u16 count | count × u64 subscription | text8 reply | message
//   8  REPLY        client    exchange|0  text8 reply (as delivered) | message                  ACK unless 0
//   9  ANSWER       listener  exchange    message
//   10 ACK          listener  exchange    u8 status (TENON_…) | text8 why
//   11 PING         client    exchange    —                                                     PONG
//   12 PONG         listener  exchange    —
//
// `origin` is the node that the event entered the federation at, `hops` how many hosts have sent it on, the first
// included. Nothing is delivered to its origin, and nothing with more than kHopsMax hops to anybody: so loops end.
//
// Limits: node, group, content type, reply, why 255 octets; topic and pattern 1024; 1 … 1024 subscriptions in a
// DELIVER; a frame at most as large as its reader said, 4 KiB before HELLO or WELCOME. Whoever breaks a rule is
// disconnected.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::local {

inline constexpr std::uint64_t kProtocolVersion = 1;
inline constexpr std::size_t kLengthSize = 4;          // of the size before each frame
inline constexpr std::size_t kFirstFrameMax = 4096;    // octets, until the other side has introduced itself
inline constexpr std::size_t kMessageOverhead = 4096;  // octets of a frame that is not the encoded event, at most
inline constexpr std::size_t kTextMax = 255;           // of a text8
inline constexpr std::size_t kDeliverMax = 256;        // subscriptions that we put in a DELIVER (kMessageOverhead)
inline constexpr std::size_t kDeliverAccepted = 1024;  // and that we accept
inline constexpr std::uint8_t kHopsMax = 8;

enum class FrameType : std::uint8_t {
  hello = 1,
  welcome,
  subscribe,
  unsubscribe,
  event,
  request,
  deliver,
  reply,
  answer,
  ack,
  ping,
  pong,
};

// An event between hosts. Views into whatever it was made from.
struct Message {
  std::string_view topic, origin, content_type;
  std::uint8_t hops = 0;
  std::span<const std::uint8_t> encoded;
};

// A decoded frame; only the members that its type has are set. Views into the decoded octets.
struct Frame {
  FrameType type = FrameType::ping;
  std::uint64_t number = 0;
  std::uint64_t subscription = 0;            // subscribe, unsubscribe
  std::vector<std::uint64_t> subscriptions;  // deliver
  std::string_view text;                     // node, pattern, reply or why
  std::string_view group;                    // subscribe; empty: none
  std::uint32_t amount = 0;                  // hello, welcome: largest frame; request: milliseconds; ack: status
  Message message;
};

// Decodes the octets behind the length. Null: done; else what is wrong, and `out` is of no use. Never reads beyond
// `in`.
const char* decode(std::span<const std::uint8_t> in, Frame& out);

// Each appends one whole frame to `out`. Texts must keep the limits above.
void write_hello(std::string& out, FrameType hello_or_welcome, std::uint64_t number, std::string_view node,
                 std::uint32_t max_frame);
void write_subscribe(std::string& out, std::uint64_t exchange, std::uint64_t subscription, std::string_view pattern,
                     std::string_view group);
void write_unsubscribe(std::string& out, std::uint64_t exchange, std::uint64_t subscription);
void write_event(std::string& out, std::uint64_t exchange, const Message& message);
void write_request(std::string& out, std::uint64_t exchange, std::uint32_t milliseconds, const Message& message);
void write_deliver(std::string& out, std::span<const std::uint64_t> subscriptions, std::string_view reply,
                   const Message& message);
void write_reply(std::string& out, std::uint64_t exchange, std::string_view reply, const Message& message);
void write_answer(std::string& out, std::uint64_t exchange, const Message& message);
void write_ack(std::string& out, std::uint64_t exchange, std::uint8_t status, std::string_view why);
void write_ping(std::string& out, FrameType ping_or_pong, std::uint64_t exchange);

}  // namespace tenon::local
