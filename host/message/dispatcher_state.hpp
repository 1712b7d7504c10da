// What MessageDispatcher keeps of receivers and groups; for its own sources only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "message/dispatcher.hpp"
#include "message/ring.hpp"

namespace tenon::message {

// Something that events wait in: a receiver's mailbox, or a group's.
struct MessageDispatcher::Queue {
  std::string name;
  MailboxConfig config;
  Mailbox mailbox;
  ReceiverCounters counters;
  bool somebody_waits = false;  // a sender was told would_block and wants to hear of room
};

// A delivery of an at_least_once receiver that is not settled.
struct MessageDispatcher::InFlight {
  std::uint64_t id_hash;
  Waiting waiting;
  MonotonicTime deadline;
  GroupId group;
  std::uint32_t group_incarnation;
};

struct MessageDispatcher::Receiver {
  struct Unwritten {
    std::uint64_t end = 0;
    GroupId group = kNoGroup;
    std::uint32_t group_incarnation = 0;
  };
  ReceiverId id = kNoReceiver;
  std::uint64_t incarnation = 0;
  ReceiverConfig config;
  Queue queue;
  Outlet* outlet = nullptr;
  Gate gate = Gate::waiting;
  bool outlet_full = false;
  bool deadline_watched = false;
  std::vector<GroupId> groups;
  Ring<Unwritten> unwritten;         // at_most_once: given to the outlet, octets not yet written
  std::vector<InFlight> unsettled;   // at_least_once, in order of delivery, which is the order of their deadlines

  bool keeps_until_settled() const noexcept { return config.delivery.mode == DeliveryMode::at_least_once; }
  std::size_t in_flight() const noexcept { return keeps_until_settled() ? unsettled.size() : unwritten.size(); }
};

struct MessageDispatcher::Group {
  std::uint32_t incarnation = 0;  // so that what is in flight does not return to a later group of the same id
  Queue queue;
  std::vector<ReceiverId> members;
  std::size_t turn = 0;  // where the search for the least busy member begins, so that equals take turns
};

}  // namespace tenon::message
