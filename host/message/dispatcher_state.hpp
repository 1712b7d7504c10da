// What MessageDispatcher keeps of receivers and groups; for its own sources only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "message/dispatcher.hpp"
#include "message/in_flight_table.hpp"
#include "message/ring.hpp"

namespace tenon::message {

inline Attempts attempts_of(const Waiting& waiting) noexcept { return {waiting.attempts, waiting.history.get()}; }

// Something that events wait in: a receiver's mailbox, or a group's.
struct MessageDispatcher::Queue {
  std::string name;
  MailboxConfig config;
  Mailbox mailbox;
  ReceiverCounters counters;
  bool somebody_waits = false;  // a sender was told would_block and wants to hear of room
};

struct MessageDispatcher::Receiver {
  struct Unwritten {
    std::uint64_t end = 0;
    GroupId group = kNoGroup;
    std::uint32_t group_incarnation = 0;
    ReceiverId sender = kNoReceiver;
  };
  ReceiverId id = kNoReceiver;
  std::uint64_t incarnation = 0;
  ReceiverConfig config;
  std::optional<DeliveryConfig> next_delivery;  // from the next attach on
  Queue queue;
  Outlet* outlet = nullptr;
  Gate gate = Gate::waiting;
  bool outlet_full = false;
  bool closed = false;  // the outlet said so
  bool deadline_watched = false;
  std::vector<GroupId> groups;
  Ring<Unwritten> unwritten;         // at_most_once: given to the outlet, octets not yet written
  InFlightTable unsettled;           // at_least_once; the order of delivery is the order of deadlines
  std::optional<MonotonicTime> ack_clock_stopped;  // since when
  Duration ack_clock_lost{0};                      // how long it stood still before

  bool keeps_until_settled() const noexcept { return config.delivery.mode == DeliveryMode::at_least_once; }
  // Of the receiver's own clock, which deadlines are on.
  MonotonicTime own_time(MonotonicTime now) const noexcept { return ack_clock_stopped.value_or(now) - ack_clock_lost; }
  std::size_t in_flight() const noexcept { return keeps_until_settled() ? unsettled.size() : unwritten.size(); }
};

struct MessageDispatcher::Group {
  std::uint32_t incarnation = 0;  // so that what is in flight does not return to a later group of the same id
  Queue queue;
  std::vector<ReceiverId> members;
  std::vector<GroupId> parts;   // of a union, those that have not ended
  std::vector<GroupId> unions;  // that it is part of
  std::size_t turn = 0;  // where the search for the least busy member begins, so that equals take turns
};

}  // namespace tenon::message
