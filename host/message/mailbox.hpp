// A bounded queue of events that wait for one receiver, or for one queue group.
//
// Order. Events of one priority leave first in, first out. Between priorities the one with the smallest
// (time it came + priority × kAgeingStep) leaves first: urgent events overtake, but nobody waits more than nine steps
// longer than the most urgent. Returned events (unsettled when their receiver died) leave before all others, in their
// old order.
//
// Limits are in events and in octets; what to do at the limit is the overflow rule, applied by the dispatcher.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "common/clock.hpp"
#include "message/delivery_attempt.hpp"
#include "message/message.hpp"
#include "message/routing_table.hpp"

namespace tenon::message {

enum class Overflow : std::uint8_t { dead_letter, drop_oldest, reject, block };
std::string_view to_string(Overflow rule) noexcept;

struct MailboxConfig {
  std::size_t capacity = 10'000;              // events, at least 1
  std::size_t bytes = 64u * 1024 * 1024;      // octets, at least 1
  Overflow overflow = Overflow::dead_letter;
  bool operator==(const MailboxConfig&) const = default;
};

// One waiting event.
struct Waiting {
  MessageRef message;
  MonotonicTime since;         // when it came in; kept over redeliveries
  std::uint32_t attempts = 0;  // deliveries so far
  SubscriberId sender = 0xffffffff;  // the receiver that sent it and must not get it; 0xffffffff: none
  std::shared_ptr<const DeliveryHistory> history = {};  // of deliveries that failed; null: none did
};

class Mailbox {
 public:
  static constexpr Duration kAgeingStep = std::chrono::seconds(1);

  // How many events of its own, a priority, a receiver is looked past for one that it may get.
  static constexpr std::size_t kLookPast = 128;

  Mailbox() = default;
  Mailbox(Mailbox&& other) noexcept { *this = std::move(other); }
  Mailbox& operator=(Mailbox&&) noexcept;
  ~Mailbox();

  void push(Waiting waiting);
  void push_returned(Waiting waiting);  // to the very front: return several in reverse order
  // The next to leave; nullptr when empty. Valid until the next change.
  Waiting* front() noexcept;
  // When the next to leave counts as having come, for choosing between mailboxes. Requires !empty().
  MonotonicTime front_rank() const noexcept;
  Waiting pop_front();   // requires !empty()

  // The next that this receiver may get: the first whose sender it is not, if one is within kLookPast. Its rank is as
  // front_rank says. Valid until the next change.
  struct Next {
    Waiting* waiting;
    MonotonicTime rank;
  };
  std::optional<Next> next_for(SubscriberId receiver) noexcept;
  Waiting pop_for(SubscriberId receiver);  // requires next_for(receiver)

  Waiting pop_oldest();  // the one that came first, whatever its priority; requires !empty()

  // Takes all that this sender sent out of it, in the order of leaving within each priority. Linear.
  std::vector<Waiting> take_sent_by(SubscriberId sender);

  // The sender is gone and its number may become another's: what it sent is nobody's own any more. Linear.
  void forget_sender(SubscriberId sender) noexcept;

  // Takes all that waits in the other one, each to the place where it would be had it come here. Linear in both.
  void merge(Mailbox&& other);

  bool empty() const noexcept { return count_ == 0; }
  std::size_t size() const noexcept { return count_; }
  std::size_t bytes() const noexcept { return bytes_; }
  bool has_room(const MailboxConfig& config, std::size_t size) const noexcept {
    return count_ < config.capacity && bytes_ + size <= config.bytes;
  }

 private:
  struct Node;
  struct List {
    Node* head = nullptr;
    Node* tail = nullptr;
  };
  static constexpr std::size_t kReturned = 0;  // lists 1 … 10 are the priorities
  static constexpr std::size_t kLists = 11;

  struct Place {
    std::size_t list = 0;
    Node* before = nullptr;  // null: the head
    Node* node = nullptr;    // null: there is none
  };
  static MonotonicTime rank_of(std::size_t list, const Node& node) noexcept;
  std::size_t next_list() const noexcept;
  Place find_for(SubscriberId receiver) const noexcept;
  Waiting take(Place place);
  void append(std::size_t list, Waiting waiting, bool in_front);

  std::unique_ptr<std::array<List, kLists>> lists_;  // none until something waits: most mailboxes are always empty
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace tenon::message
