// Where an event goes: to the asker it answers, to its target, or to whoever's subscription matches its topic.
//
// The model. publish() takes a completed event (intake.hpp) and hands it to the dispatcher once for each receiver and
// group. It never publishes anything itself: what the host has to say about an event (a dead letter, a timeout) goes
// out through RouterEvents and comes back as an event of its own later.
//
// Waiting senders. When a receiver's rule is `block` (or limits.events is reached), the event is parked together with
// all that its sender publishes after it, in order, up to the sender's limit; the caller then stops reading from that
// sender. A parked event goes on when its receiver has room. It is dead-lettered as `blocked` block_for after it was
// parked, or at once when the senders that wait for each other form a cycle. Publishers that cannot wait (the host, the
// API) have the event dead-lettered instead. The ack clock of a parked sender stands still: its acknowledgements may
// not be read.
//
// What is parked does not count against limits.events: it is what waits for room there, and must not take that room
// itself. Each sender's own limit bounds it.
//
// Loop only; pure apart from that: time comes in as arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "message/dispatcher.hpp"
#include "message/request_table.hpp"
#include "message/ring.hpp"
#include "message/routing_table.hpp"

namespace tenon::message {

// A sender that wants to be told what becomes of its events. [loop]
class PublisherEvents {
 public:
  virtual ~PublisherEvents() = default;
  // Refused, by `receiver` alone (its mailbox is full and rejects), or for everybody (no receiver): while it was
  // published, or later if it was parked. Dead-lettered and counted already. Must not publish from within.
  virtual void event_refused(const Event& event, DeadLetterReason reason, std::string_view receiver,
                             std::string_view detail) = 0;
};

struct Publisher {
  std::string_view name;                // for dead letters
  ReceiverId self = kNoReceiver;        // which receiver this sender is; kNoReceiver: none
  bool echo = false;                    // gets its own events too
  bool can_wait = false;                // its events may be parked
  bool may_target = true;               // `target` counts
  std::span<const ReceiverId> except = {};  // get nothing of it; only for publishers that cannot wait
  std::optional<std::uint64_t> asker_token = {};  // for requests of somebody who is no receiver
  PublisherEvents* events = nullptr;    // may be null; outlives the event, or forget_receiver(self) is called before
};

struct PublishResult {
  std::uint32_t receivers = 0;  // groups count as one
  bool parked = false;          // stop reading once parked_bytes() passes the sender's limit
  bool blocked = false;         // at least one receiver was full, and rejects or the publisher cannot wait
  std::optional<DeadLetterReason> failed = {};  // nobody got it, and why
};

struct RouterCounters {
  std::uint64_t published = 0, delivered = 0, queued = 0, dead_lettered = 0, rejected = 0, parked = 0, no_receiver = 0,
                expired = 0, answers = 0;
};

// A sender that waits, as others may look at it.
struct ParkedView {
  std::string_view receiver;  // the process, group or transport whose queue its oldest event waits for
  bool event_limit = false;   // and not for that queue's own room, but for limits.events
  std::size_t events = 0;
  std::size_t bytes = 0;
  MonotonicTime since{};      // when the oldest was parked
};

class RouterEvents {
 public:
  virtual ~RouterEvents() = default;
  // An answer for somebody who is no receiver. Borrowed; it carries the asker's own correlationid.
  virtual void answer_for(std::uint64_t asker_token, const Event& answer) = 0;
  // A request got no answer in time.
  virtual void request_timed_out(const PendingRequest& request) = 0;
  // Nothing of this sender is parked any more: read on.
  virtual void sender_released(ReceiverId sender) = 0;
  // limits.events kept an event waiting (true); or there is ample room again (false). Must not publish from within.
  virtual void event_limit_reached(bool reached) = 0;
};

struct RouterConfig {
  Duration request_timeout = std::chrono::seconds(30);
  Duration block_for = std::chrono::seconds(5);
};

class MessageRouter : private DispatcherEvents {
 public:
  MessageRouter(EventBudget& budget, DeadLetterSink& dead_letters, RouterEvents& events, RouterConfig config = {});
  ~MessageRouter() override;

  RoutingTable& table() noexcept { return table_; }
  MessageDispatcher& dispatcher() noexcept { return dispatcher_; }
  RequestTable& requests() noexcept { return requests_; }

  // For requests and parked events from now on.
  void set_config(const RouterConfig& config) noexcept { config_ = config; }
  // Subscribes a receiver, and makes it a member of the group's queue if there is a group.
  Status subscribe(ReceiverId receiver, std::string_view pattern, std::string_view group = {});
  bool unsubscribe(ReceiverId receiver, std::string_view pattern, std::string_view group = {});
  // Takes all its subscriptions and names; its open requests end, answers to them are late. What it had parked was
  // accepted and goes on, under a number of its own, so that a later receiver of the same id has nothing to do with it.
  void forget_receiver(ReceiverId receiver, MonotonicTime now);

  // `target` of this name reaches the receiver; of several, the least busy that has not ended.
  void add_target(std::string_view name, ReceiverId receiver);
  // A process of this name is there and can be sent nothing: it has no channel.
  void add_deaf_target(std::string_view name) { deaf_targets_.emplace(name); }

  PublishResult publish(const Event& event, const Publisher& publisher, MonotonicTime now);

  bool is_parked(ReceiverId sender) const noexcept {
    const auto at = parked_.find(sender);
    return at != parked_.end() && !at->second.events.empty();
  }
  std::size_t parked_bytes(ReceiverId sender) const noexcept;
  // Empty unless it waits. Valid until the router is called again.
  std::optional<ParkedView> parked(ReceiverId sender) const;
  std::size_t all_parked_bytes() const noexcept { return parking_.used(); }

  std::optional<MonotonicTime> next_deadline() const noexcept;
  void on_time(MonotonicTime now, WallTime wall_now);
  void set_wall_time(WallTime now) noexcept;

  const RouterCounters& counters() const noexcept { return counters_; }
  // Nothing waits, is unsettled, parked or awaits an answer.
  bool quiet() const noexcept;
  // The host ends: dead-letters (shutdown) all that waits, is unsettled or parked. The last call.
  void give_up_all();

 private:
  // A sender that has had to wait. Kept with its memory for the next time; it waits now if `events` is not empty. The
  // head has been routed and waits for a full queue, those behind it have not been looked at.
  struct ParkedEvent {
    MessageRef message;
    MonotonicTime deadline{};
  };
  struct ParkedSender {
    Ring<ParkedEvent> events;
    std::string name;     // keeps publisher.name alive
    Publisher publisher;
    std::size_t bytes = 0;
    bool head_routed = false;
    std::vector<ReceiverId> receivers;  // that still have to get the head
    std::vector<GroupId> groups;
    FullQueue waits_for;
    std::size_t head_cost = 0;          // octets that the queue has to have room for
    PublishResult head_result;          // so far
    bool resuming = false;
  };
  // Of senders that are gone; counted down from above every receiver's id.
  static constexpr ReceiverId kFirstOrphan = 0xfffffffe;
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>{}(name); }
  };
  // Null unless the sender waits now.
  ParkedSender* waiting_sender(ReceiverId id) noexcept;

  // One event's way through its receivers.
  struct Delivery {
    std::vector<ReceiverId>& receivers;
    std::vector<GroupId>& groups;
    PublishResult result = {};
    std::optional<FullQueue> full = {};  // where it stopped; receivers and groups then hold what is left
    bool rejected = false;               // by at least one
  };

  void queue_has_room(FullQueue queue) override;
  // Finds out who gets the event. False when nobody does: it is an answer, expired, without a receiver, …
  bool resolve(const Event& event, const Publisher& publisher, Delivery& delivery, MonotonicTime now);
  bool take_answer(const Event& event, const Publisher& publisher, Delivery& delivery, MonotonicTime now);
  bool enter_request(const Event& event, const Publisher& publisher, Delivery& delivery, MonotonicTime now);
  Status open_request(const Event& event, const Publisher& publisher, MonotonicTime now);
  bool find_target(const Event& event, Delivery& delivery, MonotonicTime now);
  bool find_subscribers(const Event& event, const Publisher& publisher, Delivery& delivery, MonotonicTime now);
  std::span<const ReceiverId> members_of(GroupId group);
  void show_observers(const Event& event, MonotonicTime now);
  void learn_unions();
  void follow_groups(MonotonicTime now);
  void serve(const Event& event, const Publisher& publisher, Delivery& delivery, MonotonicTime now);
  // True when the receiver or group is done with; else it was would_block.
  bool take(Verdict verdict, FullQueue where, const Event& event, const Publisher& publisher, Delivery& delivery);
  void reject(FullQueue where, const Event& event, const Publisher& publisher, Delivery& delivery);
  void give_up_on(const Event& event, FullQueue full, bool in_cycle = false);
  std::string_view name_of(FullQueue full) const;
  void drop_groups(const std::vector<GroupId>& groups, MonotonicTime now);
  void drop_receiver(ReceiverId receiver);
  void reach_limit(std::size_t cost, MonotonicTime now);
  void look_at_limit(MonotonicTime now);
  void disown(ReceiverId sender);
  void park(const Event& event, const Publisher& publisher, MonotonicTime now, Delivery* delivery);
  bool would_wait_for_itself(ReceiverId sender, FullQueue full);
  void resume(ReceiverId sender, MonotonicTime now);
  void give_up_overdue(ReceiverId sender, MonotonicTime now);
  bool resume_head(ParkedSender& sender, MonotonicTime now);
  void fail(Delivery& delivery, const Event& event, DeadLetterReason reason, std::string_view receiver,
            std::string_view detail);

  static constexpr Duration kLookAtLimitEvery = std::chrono::seconds(1);

  EventBudget& budget_;
  EventBudget parking_{SIZE_MAX};  // counts what is parked; each sender's own limit holds it
  DeadLetterSink& dead_letters_;
  RouterEvents& events_;
  RouterConfig config_;
  std::optional<MonotonicTime> limit_reached_;  // and when to look whether it still is
  std::size_t kept_out_ = 0;                    // the cost of the last event that had to wait for that limit
  RoutingTable table_;
  MessageDispatcher dispatcher_;
  RequestTable requests_;
  std::unordered_map<std::string, std::vector<ReceiverId>, NameHash, std::equal_to<>> targets_;
  std::unordered_set<std::string, NameHash, std::equal_to<>> deaf_targets_;
  std::unordered_map<ReceiverId, ParkedSender> parked_;
  RouterCounters counters_;
  WallTime wall_now_{};
  MonotonicTime last_now_{};
  ReceiverId next_orphan_ = kFirstOrphan;
  std::vector<ReceiverId> plain_scratch_;
  std::vector<GroupId> group_scratch_;
};

}  // namespace tenon::message
