// Why an event could not be delivered, and the store that keeps such events.
//
// The model. Whoever gives up on an event calls DeadLetterSink with the event unharmed, the reason and the receiver.
// The store keeps the last `capacity` of them, within a memory limit of its own; older ones make room and are counted.
// A dead letter that cannot be delivered itself (nobody listens to system.dead_letter) is counted, never dead-lettered
// again.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "message/delivery_attempt.hpp"
#include "message/message.hpp"

namespace tenon::message {

enum class DeadLetterReason : std::uint8_t {
  malformed,           // its bytes are no event
  too_large,           // larger than the channel's max_event
  bad_topic,           // no legal subject
  not_allowed,         // outside the sender's publish list
  reserved,            // only the host publishes under system. and tenon.
  schema,              // breaks the schema of its type
  no_receiver,         // nothing matches
  no_such_target,      // no process of that name
  receiver_ended,      // the receiver has terminated or is in error
  mailbox_full,        // overflow rule dead_letter
  dropped_oldest,      // overflow rule drop_oldest
  rejected,            // overflow rule reject
  blocked,             // overflow rule block: waited too long, or a cycle of senders
  expired,             // expirytime passed
  attempts_exhausted,  // delivered `attempts` times without an acknowledgement
  channel_closed,      // the receiver closed its end
  untranslatable,      // the receiver's format cannot express it
  late_reply,          // the answer came after the deadline, or was not the first
  memory_limit,        // limits.events reached
  hop_limit,           // passed through too many hosts
  transport_failed,    // the transport refused it for good
  shutdown,            // the host ended before it could be delivered
  duplicate_request,   // a request with this id and replyto waits for its answer already
  request_limit,       // as many requests as may be wait for an answer
};
inline constexpr std::size_t kDeadLetterReasons = 24;
std::string_view to_string(DeadLetterReason reason) noexcept;

struct DeadLetter {
  std::uint64_t number;  // counts from 1
  DeadLetterReason reason;
  std::string receiver;  // the process, group or transport; empty if none
  std::string sender;
  std::string detail;    // a sentence
  std::uint32_t attempts;
  DeliveryHistory history;  // of those that failed
  WallTime when;
  MessageRef message;    // the event, unharmed; for malformed input its raw bytes as `encoded`, without a type
};

class DeadLetterSink {
 public:
  virtual ~DeadLetterSink() = default;
  // `event` is borrowed. Must not publish from within: the router is at work.
  virtual void dead_letter(const Event& event, DeadLetterReason reason, std::string_view receiver,
                           std::string_view detail, const Attempts& attempts) = 0;
};

class DeadLetterStore {
 public:
  DeadLetterStore(std::size_t capacity, std::size_t max_bytes) : capacity_(capacity), budget_(max_bytes) {}

  // Keeps a copy; returns its number, or 0 when the event alone exceeds the store (it is then only counted).
  std::uint64_t add(const Event& event, DeadLetterReason reason, std::string_view receiver, std::string_view sender,
                    std::string_view detail, const Attempts& attempts, WallTime when);
  const DeadLetter* find(std::uint64_t number) const noexcept;
  bool drop(std::uint64_t number);
  void clear() noexcept { letters_.clear(); }
  const std::deque<DeadLetter>& letters() const noexcept { return letters_; }  // oldest first
  std::uint64_t evicted() const noexcept { return evicted_; }
  void set_capacity(std::size_t capacity);

 private:
  void make_room(std::size_t for_size);
  std::size_t capacity_;
  EventBudget budget_;
  std::deque<DeadLetter> letters_;
  std::uint64_t next_number_ = 1;
  std::uint64_t evicted_ = 0;
};

}  // namespace tenon::message
