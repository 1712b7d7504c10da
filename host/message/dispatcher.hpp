// Brings matched events to receivers: direct hand-over, mailboxes, queue groups, acknowledgements.
//
// The model. A receiver is somebody who can get events: a worker, a transport's route, a stream of the API, a handler
// of the host. It has a mailbox, an outlet while it is attached, and a gate: `ready` lets events through, otherwise
// they wait.
//
//   event --deliver--> mailbox empty, gate open, outlet has room?  yes: straight to the outlet
//                                                                   no: a copy into the mailbox, or the overflow rule
//
// A queue group has one queue of its own. An event for a group goes to the member with the fewest in flight that can
// take it at once; if none can, it waits in the group's queue, and the first member to have room takes it. Invariant:
// where a queue is not empty, no receiver that it serves can take an event (but for what limits.events holds back until
// on_time finds room, `starved_`). A union of groups is a group too: its members are those of its parts, which it
// follows; an event that several patterns of one group name match has one queue and one receiver so.
//
// An outlet that said `closed` is not called again until the receiver is detached. What is for the receiver alone is
// then dead-lettered, and so is what is for groups none of whose members can be reached. What the receiver has taken
// already can still be acknowledged.
//
// In flight is what was given to the outlet and not yet settled. at_most_once settles when the outlet has written the
// octets. at_least_once keeps the event until settle(); after ack_timeout, a nack or the receiver's end it goes back to
// the front of the queue it came from, marked `redelivered`, up to `attempts` deliveries, then it is dead-lettered. Two
// events with one id are never in flight at once at one receiver: the second waits. The ack clock of a receiver can be
// stopped: while the host does not read from it, its silence means nothing.
//
// Nothing here knows the loop: time comes in as arguments; next_deadline() and on_time() drive the timeouts. [loop]
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.hpp"
#include "message/dead_letter.hpp"
#include "message/mailbox.hpp"
#include "message/outlet.hpp"
#include "message/routing_table.hpp"

namespace tenon::message {

using ReceiverId = SubscriberId;
inline constexpr ReceiverId kNoReceiver = 0xffffffff;

struct InFlight;  // in_flight_table.hpp

enum class DeliveryMode : std::uint8_t { at_most_once, at_least_once };

struct DeliveryConfig {
  DeliveryMode mode = DeliveryMode::at_most_once;
  std::uint32_t max_in_flight = 16;               // of at_least_once, at least 1
  Duration ack_timeout = std::chrono::seconds(30);
  std::uint32_t attempts = 5;                     // deliveries before the event is dead-lettered, at least 1
  bool operator==(const DeliveryConfig&) const = default;
};

struct ReceiverConfig {
  std::string name;  // "counter.1"
  MailboxConfig mailbox;
  DeliveryConfig delivery;
  bool observer = false;  // looks on: gets what its subscriptions match, but nobody has received that because of it
};

enum class Gate : std::uint8_t {
  open,     // events flow
  paused,   // by the operator: like waiting, and what is addressed to it alone and in its hands times out no more
  waiting,  // not ready or draining: what is addressed to it alone waits, its groups go on without it
  stopped,  // by the operator: what waits is kept for the day it is started again; nothing new is taken
  ended,    // finished or in error: what waits for it, and what is addressed to it, is dead-lettered
};

// What became of one delivery.
enum class Verdict : std::uint8_t { delivered, queued, dead_lettered, rejected, would_block };

// Who is full, for a sender that has to wait: exactly one of the two.
struct FullQueue {
  ReceiverId receiver = kNoReceiver;
  GroupId group = kNoGroup;
  bool operator==(const FullQueue&) const = default;
};

struct ReceiverCounters {
  std::uint64_t delivered = 0;    // given to the outlet, redeliveries included
  std::uint64_t redelivered = 0;
  std::uint64_t settled = 0;
  std::uint64_t dropped = 0;      // by an overflow rule, dead-lettered or not
  std::uint64_t rejected = 0;     // of these, by the rule `reject`
};

class DispatcherEvents {
 public:
  virtual ~DispatcherEvents() = default;
  // A queue that refused with would_block has room again, or somebody who could have made room there is gone.
  virtual void queue_has_room(FullQueue queue) = 0;
};

class MessageDispatcher {
 public:
  // The three must outlive the dispatcher.
  MessageDispatcher(EventBudget& budget, DeadLetterSink& dead_letters, DispatcherEvents& events);
  ~MessageDispatcher();
  MessageDispatcher(const MessageDispatcher&) = delete;
  MessageDispatcher& operator=(const MessageDispatcher&) = delete;

  // A new receiver: gate `waiting`, no outlet. Ids are reused after remove_receiver.
  ReceiverId add_receiver(ReceiverConfig config);
  // Other terms for a receiver that stays. What waits beyond a smaller mailbox stays; a larger one takes more at once.
  // A new delivery mode holds from the next attach on: until then the rest of `delivery` stands as it was, too.
  void set_terms(ReceiverId id, const MailboxConfig& mailbox, const DeliveryConfig& delivery, MonotonicTime now);
  // Its mailbox is dead-lettered (receiver_ended), its unsettled group events go back to their groups.
  void remove_receiver(ReceiverId id, MonotonicTime now);
  // The group's queue takes the largest mailbox limits of its members. Joining twice is joining once.
  // What waits in the group may go to the new member at once.
  void join_group(ReceiverId id, GroupId group, std::string_view group_name, MonotonicTime now);
  // With its last live member gone, what waits in the group is dead-lettered (receiver_ended). Not for unions: a
  // receiver leaves them with their parts.
  void leave_group(ReceiverId id, GroupId group, MonotonicTime now);
  // Makes a union of groups that have members. From now on it follows who joins and leaves its parts.
  void unite(GroupId group, std::string_view group_name, std::span<const GroupId> parts);
  // `from`, a union, has the same members as `into`: what waits or is in flight there is `into`'s from now on.
  void merge_groups(GroupId from, GroupId into, MonotonicTime now);
  bool has_group(GroupId group) const noexcept { return group < groups_.size() && groups_[group] != nullptr; }

  // Gives the receiver its outlet (borrowed until detach). What waits is offered with the next set_gate or
  // outlet_has_room.
  void attach(ReceiverId id, Outlet& outlet);
  // The receiver's channel is gone (its process ended). `unsent`: the events whose octets were not written at all, in
  // order; they return to their queues unmarked, and this does not count as a delivery. Other unsettled at_least_once
  // events return marked. The rest counts as settled.
  void detach(ReceiverId id, std::span<const MessageRef> unsent, MonotonicTime now);
  // The receiver lives on and cannot be reached (it closed its end): as if its outlet had said `closed`. Only `unsent`
  // returns, as with detach; the rest may still be acknowledged.
  void close_outlet(ReceiverId id, std::span<const MessageRef> unsent, MonotonicTime now);
  // Takes everything out of the receiver's own mailbox as dead letters of this reason. Returns how many.
  std::size_t dead_letter_waiting(ReceiverId id, DeadLetterReason reason, std::string_view detail);
  void set_gate(ReceiverId id, Gate gate, MonotonicTime now);
  Gate gate(ReceiverId id) const noexcept;

  // While it lives, all receivers that have to keep this event hold one copy of it. They may be nested.
  class SharedCopy {
   public:
    SharedCopy(MessageDispatcher& dispatcher, const Event& event);
    ~SharedCopy();
    SharedCopy(const SharedCopy&) = delete;
    SharedCopy& operator=(const SharedCopy&) = delete;

   private:
    MessageDispatcher& dispatcher_;
    const Event* event_;
    MessageRef copy_;
    SharedCopy* outer_;
    friend class MessageDispatcher;
  };

  // `event` is borrowed. With would_block nothing was taken.
  Verdict deliver(ReceiverId id, const Event& event, MonotonicTime now);
  // Never to `sender` (kNoReceiver: anybody may).
  Verdict deliver_to_group(GroupId group, const Event& event, ReceiverId sender, MonotonicTime now);
  // Whom a would_block names.
  bool has_room(FullQueue queue, std::size_t size) const noexcept;
  // An event for it was given up because it stayed full.
  void count_dropped(FullQueue queue) noexcept;
  // Apart from limits.events.
  bool mailbox_has_room(FullQueue queue, std::size_t size) const noexcept;

  // From the outlet: all octets before `position` are written.
  void written_up_to(ReceiverId id, std::uint64_t position, MonotonicTime now);
  // From the outlet: it can take more.
  void outlet_has_room(ReceiverId id, MonotonicTime now);

  // Settles the delivery of that event at that receiver: an ack, or an answer. False if none is in flight.
  bool settle(ReceiverId id, std::string_view event_id, MonotonicTime now);
  // A nack: back to its queue, marked.
  bool refuse(ReceiverId id, std::string_view event_id, MonotonicTime now);

  // While the clock is stopped no ack_timeout of the receiver runs. Stopping twice is stopping once; ids of nobody may
  // be passed.
  void stop_ack_clock(ReceiverId id, MonotonicTime now);
  void start_ack_clock(ReceiverId id, MonotonicTime now);

  std::optional<MonotonicTime> next_deadline() const noexcept;
  void on_time(MonotonicTime now);

  std::size_t observers() const noexcept { return observers_; }  // how many receivers are
  std::size_t in_flight(ReceiverId id) const noexcept;
  const Mailbox& mailbox(ReceiverId id) const noexcept;
  const ReceiverConfig& config(ReceiverId id) const noexcept;
  const ReceiverCounters& counters(ReceiverId id) const noexcept;
  const ReceiverCounters& group_counters(
      GroupId group) const noexcept;  // dropped and rejected alone; requires has_group
  std::size_t group_depth(GroupId group) const noexcept;
  std::string_view group_name(GroupId group) const noexcept;
  std::span<const ReceiverId> group_members(GroupId group) const noexcept;
  std::span<const GroupId> groups_of(ReceiverId id) const noexcept;
  // Nothing waits and nothing is unsettled anywhere.
  bool quiet() const noexcept;
  // The host ends: dead-letters (shutdown) all that waits or is unsettled. Nothing may be delivered afterwards.
  void give_up_all();

 private:
  struct Queue;
  struct Receiver;
  struct Group;

  Receiver& at(ReceiverId id) const noexcept;
  Group& group_at(GroupId id);
  bool can_take(const Receiver& receiver) const noexcept;
  enum class Sent : std::uint8_t {
    given,    // to the outlet
    refused,  // for good, and dead-lettered
    full,     // it cannot take any event now
    waits,    // not this one now: one of the same id is in flight, or limits.events is reached
  };
  // `waiting` is set for an event that comes from a queue.
  Sent try_send(Receiver& receiver, const Event& event, const Waiting* waiting, GroupId group, ReceiverId sender,
                MonotonicTime now);
  void dead_letter_refused(const Receiver& receiver, const Event& event, const Offer& offer, const Attempts& attempts);
  Verdict refuse_at(Queue& queue, const Event& event, DeadLetterReason reason, std::string_view detail);
  Verdict enqueue(Queue& queue, FullQueue name, const Event& event, ReceiverId sender, MonotonicTime now);
  const Queue* find_queue(FullQueue name) const noexcept;
  MessageRef own(const Event& event, std::size_t cost);  // a copy, or the shared one
  std::size_t cost_of_owning(const Event& event, std::size_t cost) const noexcept;
  void pump(Receiver& receiver, MonotonicTime now);
  bool pump_one(Receiver& receiver, MonotonicTime now);
  Queue* next_queue(Receiver& receiver, GroupId& group);
  void pump_group(GroupId group, MonotonicTime now);
  Receiver* choose_member(Group& group, ReceiverId sender) noexcept;
  std::optional<Verdict> offer_to_members(Group& group, GroupId id, const Event& event, ReceiverId sender,
                                          MonotonicTime now);
  void add_member(Group& group, GroupId id, Receiver& receiver);
  void set_group_limits(Group& group);
  void remove_member(GroupId id, Receiver& receiver, MonotonicTime now);
  void end_group(GroupId id);
  void member_is_gone(GroupId id, MonotonicTime now);
  bool is_group(GroupId group, std::uint32_t incarnation) const noexcept;
  std::uint32_t incarnation_of(GroupId group) const noexcept;
  // Other than `except`, whose gate is at most so far from open.
  bool has_member(const Group& group, ReceiverId except, Gate worst) const noexcept;
  bool has_reachable_member(const Group& group) const noexcept;
  void return_to_queue(Receiver& receiver, GroupId group, std::uint32_t incarnation, Waiting waiting);
  void put_back(Receiver& receiver, InFlight entry, AttemptEnd why);
  void take_back_unsent(Receiver& receiver, std::span<const MessageRef> unsent);
  void take_back_unsettled(Receiver& receiver);
  void take_back_unwritten(Receiver& receiver, std::span<const MessageRef> unsent, MonotonicTime now);
  void pump_groups_of(Receiver& receiver, MonotonicTime now);
  void pump_returned(MonotonicTime now);
  void flush(Queue& queue);
  void forget_sender(ReceiverId id);
  void dead_letter_ended(const Waiting& waiting, const Queue& queue);
  void tell_room(Queue& queue, FullQueue name);
  void serve_starved(MonotonicTime now);
  void watch_deadline(Receiver& receiver);
  bool is_expired(const Event& event) const;

  EventBudget& budget_;
  DeadLetterSink& dead_letters_;
  DispatcherEvents& events_;
  std::vector<std::unique_ptr<Receiver>> receivers_;  // by id; null where free
  std::vector<ReceiverId> free_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::uint32_t group_incarnations_ = 0;
  std::vector<const Queue*> passed_over_;  // of pump_one: their first event cannot go to the receiver now
  struct Due {
    MonotonicTime when;
    ReceiverId receiver;
    std::uint64_t incarnation;  // of the receiver, so that a reused id does not inherit it
    bool operator>(const Due& other) const noexcept { return when > other.when; }
  };
  std::vector<Due> due_;  // a min-heap; at most one entry a receiver is current
  std::uint64_t incarnations_ = 0;
  std::size_t observers_ = 0;
  std::vector<FullQueue> starved_;  // took an event from the spare room of limits.events; some may be gone
  std::vector<GroupId> returned_to_;  // groups that events came back to and that have not been looked at since
  SharedCopy* shared_ = nullptr;      // the innermost
  MonotonicTime starved_since_{};
  WallTime wall_now_{};

 public:
  // The wall clock for `expirytime`, set once a turn by the owner. [loop]
  void set_wall_time(WallTime now) noexcept { wall_now_ = now; }
};

}  // namespace tenon::message
