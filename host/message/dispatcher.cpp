#include "message/dispatcher.hpp"

#include <algorithm>
#include <cassert>

#include "message/expiry.hpp"
#include "message/ring.hpp"
#include "message/topic_hash.hpp"

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
};

struct MessageDispatcher::Receiver {
  struct Unwritten {
    std::uint64_t end = 0;
    GroupId group = kNoGroup;
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
  Queue queue;
  std::vector<ReceiverId> members;
  std::size_t turn = 0;  // where the search for the least busy member begins, so that equals take turns
};

MessageDispatcher::MessageDispatcher(EventBudget& budget, DeadLetterSink& dead_letters, DispatcherEvents& events)
    : budget_(budget), dead_letters_(dead_letters), events_(events) {}
MessageDispatcher::~MessageDispatcher() = default;

MessageDispatcher::Receiver& MessageDispatcher::at(ReceiverId id) const noexcept {
  assert(id < receivers_.size() && receivers_[id] != nullptr);
  return *receivers_[id];
}

MessageDispatcher::Group& MessageDispatcher::group_at(GroupId id) {
  if (groups_.size() <= id) groups_.resize(id + 1);
  if (groups_[id] == nullptr) groups_[id] = std::make_unique<Group>();
  return *groups_[id];
}

ReceiverId MessageDispatcher::add_receiver(ReceiverConfig config) {
  ReceiverId id;
  if (free_.empty()) {
    id = static_cast<ReceiverId>(receivers_.size());
    receivers_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  auto receiver = std::make_unique<Receiver>();
  receiver->id = id;
  receiver->incarnation = ++incarnations_;
  receiver->queue.name = config.name;
  receiver->queue.config = config.mailbox;
  receiver->config = std::move(config);
  receivers_[id] = std::move(receiver);
  return id;
}

void MessageDispatcher::remove_receiver(ReceiverId id, MonotonicTime now) {
  detach(id, {}, now);
  set_gate(id, Gate::ended, now);
  Receiver& receiver = at(id);
  while (!receiver.groups.empty()) leave_group(id, receiver.groups.back());
  receivers_[id].reset();
  free_.push_back(id);
}

void MessageDispatcher::join_group(ReceiverId id, GroupId group_id, std::string_view group_name) {
  Receiver& receiver = at(id);
  if (std::find(receiver.groups.begin(), receiver.groups.end(), group_id) != receiver.groups.end()) return;
  Group& group = group_at(group_id);
  if (group.members.empty()) {
    group.queue.name = group_name;
    group.queue.config = receiver.config.mailbox;
  }
  group.queue.config.capacity = std::max(group.queue.config.capacity, receiver.config.mailbox.capacity);
  group.queue.config.bytes = std::max(group.queue.config.bytes, receiver.config.mailbox.bytes);
  group.members.push_back(id);
  receiver.groups.push_back(group_id);
}

void MessageDispatcher::leave_group(ReceiverId id, GroupId group_id) {
  Receiver& receiver = at(id);
  Group& group = group_at(group_id);
  std::erase(receiver.groups, group_id);
  std::erase(group.members, id);
  if (!group.members.empty()) return;
  flush(group.queue);
  groups_[group_id].reset();
}

void MessageDispatcher::attach(ReceiverId id, Outlet& outlet) {
  Receiver& receiver = at(id);
  receiver.outlet = &outlet;
  receiver.outlet_full = false;
}

void MessageDispatcher::detach(ReceiverId id, std::span<const MessageRef> unsent, MonotonicTime now) {
  Receiver& receiver = at(id);
  receiver.outlet = nullptr;
  if (receiver.keeps_until_settled()) {
    std::vector<InFlight> unsettled;
    unsettled.swap(receiver.unsettled);
    for (auto entry = unsettled.rbegin(); entry != unsettled.rend(); ++entry) put_back(receiver, std::move(*entry));
  } else {
    take_back_unwritten(receiver, unsent, now);
  }
  pump_groups_of(receiver, now);
}

void MessageDispatcher::take_back_unwritten(Receiver& receiver, std::span<const MessageRef> unsent, MonotonicTime now) {
  const std::size_t given = receiver.unwritten.size();
  for (std::size_t i = 0; i < unsent.size() && i < given; ++i) {
    const GroupId group = receiver.unwritten[given - 1 - i].group;
    return_to_queue(receiver, group, Waiting{unsent[unsent.size() - 1 - i], now});
  }
  receiver.queue.counters.settled += given - std::min(given, unsent.size());
  receiver.unwritten.clear();
}

void MessageDispatcher::set_gate(ReceiverId id, Gate gate, MonotonicTime now) {
  Receiver& receiver = at(id);
  receiver.gate = gate;
  if (gate == Gate::open) pump(receiver, now);
  if (gate != Gate::ended) return;
  flush(receiver.queue);
  flush_orphaned_groups(receiver);
  tell_room(receiver.queue, FullQueue{.receiver = id});
}

Gate MessageDispatcher::gate(ReceiverId id) const noexcept { return at(id).gate; }

void MessageDispatcher::flush(Queue& queue) {
  while (!queue.mailbox.empty()) {
    const Waiting waiting = queue.mailbox.pop_front();
    dead_letters_.dead_letter(waiting.message.event(), DeadLetterReason::receiver_ended, queue.name,
                              "the receiver ended before it took the event", waiting.attempts);
  }
}

void MessageDispatcher::flush_orphaned_groups(const Receiver& receiver) {
  for (const GroupId id : receiver.groups) {
    Group& group = group_at(id);
    if (has_live_member(group, kNoReceiver)) continue;
    flush(group.queue);
    tell_room(group.queue, FullQueue{.group = id});
  }
}

bool MessageDispatcher::can_take(const Receiver& receiver) const noexcept {
  return receiver.gate == Gate::open && receiver.outlet != nullptr && !receiver.outlet_full &&
         (!receiver.keeps_until_settled() || receiver.unsettled.size() < receiver.config.delivery.max_in_flight);
}

bool MessageDispatcher::is_in_flight(const Receiver& receiver, std::uint64_t id_hash,
                                     std::string_view event_id) const noexcept {
  for (const InFlight& entry : receiver.unsettled)
    if (entry.id_hash == id_hash && entry.waiting.message.event().envelope.id == event_id) return true;
  return false;
}

bool MessageDispatcher::is_expired(const Event& event) const {
  return has_expired(event.envelope, wall_now_);
}

void MessageDispatcher::dead_letter_refused(const Receiver& receiver, const Event& event, const Offer& offer,
                                            std::uint32_t attempts) {
  DeadLetterReason reason = DeadLetterReason::channel_closed;
  if (offer.result == OfferResult::untranslatable) reason = DeadLetterReason::untranslatable;
  if (offer.result == OfferResult::too_large) reason = DeadLetterReason::too_large;
  dead_letters_.dead_letter(event, reason, receiver.config.name, offer.detail, attempts);
}

bool MessageDispatcher::try_send(Receiver& receiver, const Event& event, const Waiting* waiting, GroupId group,
                                 MonotonicTime now) {
  const std::uint32_t before = waiting == nullptr ? 0 : waiting->attempts;
  const bool keep = receiver.keeps_until_settled();
  std::uint64_t id_hash = 0;
  if (keep) {
    id_hash = hash_text(event.envelope.id, topic_hash_seed());
    if (is_in_flight(receiver, id_hash, event.envelope.id)) return false;
    if (waiting == nullptr && !budget_.has_room(MessageRef::cost(event))) return false;
  }
  const Offer offer = receiver.outlet->offer(event, before + 1);
  if (offer.result == OfferResult::full) {
    receiver.outlet_full = true;
    return false;
  }
  if (offer.result != OfferResult::taken) {
    dead_letter_refused(receiver, event, offer, before);
    return true;
  }
  ++receiver.queue.counters.delivered;
  if (before > 0) ++receiver.queue.counters.redelivered;
  if (keep) {
    Waiting copy = waiting != nullptr ? *waiting : Waiting{MessageRef::copy(event, budget_), now};
    copy.attempts = before + 1;
    receiver.unsettled.push_back({id_hash, std::move(copy), now + receiver.config.delivery.ack_timeout, group});
    watch_deadline(receiver);
  } else {
    receiver.unwritten.push_back({offer.end, group});
  }
  return true;
}

Verdict MessageDispatcher::enqueue(Queue& queue, const Event& event, ReceiverId sender, MonotonicTime now) {
  const std::size_t size = MessageRef::cost(event);
  const auto refuse = [&](DeadLetterReason reason, std::string_view detail) {
    ++queue.counters.dropped;
    dead_letters_.dead_letter(event, reason, queue.name, detail, 0);
    return reason == DeadLetterReason::rejected ? Verdict::rejected : Verdict::dead_lettered;
  };
  if (size > queue.config.bytes || size > budget_.limit())
    return refuse(DeadLetterReason::too_large, "larger than the whole mailbox; raise mailbox.bytes");
  if (!queue.mailbox.has_room(queue.config, size)) {
    switch (queue.config.overflow) {
      case Overflow::dead_letter: return refuse(DeadLetterReason::mailbox_full, "the mailbox is full");
      case Overflow::reject: return refuse(DeadLetterReason::rejected, "the mailbox is full");
      case Overflow::block: queue.somebody_waits = true; return Verdict::would_block;
      case Overflow::drop_oldest:
        while (!queue.mailbox.has_room(queue.config, size)) {
          const Waiting oldest = queue.mailbox.pop_oldest();
          ++queue.counters.dropped;
          dead_letters_.dead_letter(oldest.message.event(), DeadLetterReason::dropped_oldest, queue.name,
                                    "made room for a newer event", oldest.attempts);
        }
    }
  }
  if (!budget_.has_room(size)) {  // limits.events: sources wait, whatever the mailbox's own rule
    queue.somebody_waits = true;
    return Verdict::would_block;
  }
  queue.mailbox.push(Waiting{MessageRef::copy(event, budget_, size), now, 0, sender});
  return Verdict::queued;
}

Verdict MessageDispatcher::deliver(ReceiverId id, const Event& event, MonotonicTime now) {
  Receiver& receiver = at(id);
  if (receiver.gate == Gate::ended) {
    dead_letters_.dead_letter(event, DeadLetterReason::receiver_ended, receiver.config.name,
                              "the receiver has ended; start it again and replay the event", 0);
    return Verdict::dead_lettered;
  }
  if (receiver.queue.mailbox.empty() && can_take(receiver) && try_send(receiver, event, nullptr, kNoGroup, now))
    return Verdict::delivered;
  return enqueue(receiver.queue, event, kNoReceiver, now);
}

bool MessageDispatcher::has_live_member(const Group& group, ReceiverId sender) const noexcept {
  return std::any_of(group.members.begin(), group.members.end(),
                     [&](ReceiverId id) { return id != sender && at(id).gate != Gate::ended; });
}

MessageDispatcher::Receiver* MessageDispatcher::choose_member(Group& group, ReceiverId sender) noexcept {
  Receiver* best = nullptr;
  const std::size_t count = group.members.size();
  for (std::size_t i = 0; i < count; ++i) {
    Receiver& member = at(group.members[(group.turn + i) % count]);
    if (member.id == sender || !can_take(member)) continue;
    if (best == nullptr || member.in_flight() < best->in_flight()) best = &member;
  }
  ++group.turn;
  return best;
}

Verdict MessageDispatcher::deliver_to_group(GroupId group_id, const Event& event, ReceiverId sender, MonotonicTime now) {
  Group& group = group_at(group_id);
  if (!has_live_member(group, sender)) {
    dead_letters_.dead_letter(event, DeadLetterReason::receiver_ended, group.queue.name,
                              "no member of the group can take it any more; start one and replay the event", 0);
    return Verdict::dead_lettered;
  }
  if (group.queue.mailbox.empty()) {
    if (Receiver* best = choose_member(group, sender)) {
      if (try_send(*best, event, nullptr, group_id, now)) return Verdict::delivered;
      for (const ReceiverId id : group.members)  // the best had less room than it seemed: anybody else?
        if (id != sender && can_take(at(id)) && try_send(at(id), event, nullptr, group_id, now)) return Verdict::delivered;
    }
  }
  return enqueue(group.queue, event, sender, now);
}

bool MessageDispatcher::has_room(FullQueue name, std::size_t size) const noexcept {
  const Queue* queue = nullptr;
  if (name.receiver != kNoReceiver) {
    if (name.receiver < receivers_.size() && receivers_[name.receiver] != nullptr) queue = &at(name.receiver).queue;
  } else if (name.group < groups_.size() && groups_[name.group] != nullptr) {
    queue = &groups_[name.group]->queue;
  }
  return queue == nullptr || (queue->mailbox.has_room(queue->config, size) && budget_.has_room(size));
}

void MessageDispatcher::tell_room(Queue& queue, FullQueue name) {
  if (!queue.somebody_waits) return;
  queue.somebody_waits = false;
  events_.queue_has_room(name);
}

// Takes the best waiting event of all queues that the receiver serves. False when there is none that it can take.
bool MessageDispatcher::pump_one(Receiver& receiver, MonotonicTime now) {
  Queue* from = receiver.queue.mailbox.empty() ? nullptr : &receiver.queue;
  GroupId from_group = kNoGroup;
  for (const GroupId id : receiver.groups) {
    Queue& queue = group_at(id).queue;
    if (queue.mailbox.empty() || queue.mailbox.front()->sender == receiver.id) continue;
    if (from != nullptr && from->mailbox.front_rank() <= queue.mailbox.front_rank()) continue;
    from = &queue;
    from_group = id;
  }
  if (from == nullptr) return false;

  const Waiting* waiting = from->mailbox.front();
  if (is_expired(waiting->message.event())) {
    dead_letters_.dead_letter(waiting->message.event(), DeadLetterReason::expired, from->name,
                              "its expirytime passed while it waited", waiting->attempts);
  } else if (!try_send(receiver, waiting->message.event(), waiting, from_group, now)) {
    return false;
  }
  from->mailbox.pop_front();
  tell_room(*from, from_group == kNoGroup ? FullQueue{.receiver = receiver.id} : FullQueue{.group = from_group});
  return true;
}

void MessageDispatcher::pump(Receiver& receiver, MonotonicTime now) {
  while (can_take(receiver) && pump_one(receiver, now)) {
  }
}

void MessageDispatcher::pump_group(GroupId id, MonotonicTime now) {
  Group& group = group_at(id);
  while (!group.queue.mailbox.empty()) {
    Receiver* best = choose_member(group, group.queue.mailbox.front()->sender);
    if (best == nullptr || !pump_one(*best, now)) return;
  }
}

void MessageDispatcher::pump_groups_of(Receiver& receiver, MonotonicTime now) {
  for (const GroupId id : receiver.groups) pump_group(id, now);
}

void MessageDispatcher::written_up_to(ReceiverId id, std::uint64_t position, MonotonicTime) {
  Receiver& receiver = at(id);
  while (!receiver.unwritten.empty() && receiver.unwritten.front().end <= position) {
    receiver.unwritten.pop_front();
    ++receiver.queue.counters.settled;
  }
}

void MessageDispatcher::outlet_has_room(ReceiverId id, MonotonicTime now) {
  Receiver& receiver = at(id);
  receiver.outlet_full = false;
  pump(receiver, now);
}

void MessageDispatcher::return_to_queue(Receiver& receiver, GroupId group, Waiting waiting) {
  if (group != kNoGroup && group < groups_.size() && groups_[group] != nullptr)
    groups_[group]->queue.mailbox.push_returned(std::move(waiting));
  else
    receiver.queue.mailbox.push_returned(std::move(waiting));
}

void MessageDispatcher::put_back(Receiver& receiver, InFlight entry) {
  if (entry.waiting.attempts >= receiver.config.delivery.attempts) {
    const std::uint32_t attempts = entry.waiting.attempts;
    dead_letters_.dead_letter(entry.waiting.message.event(), DeadLetterReason::attempts_exhausted, receiver.config.name,
                              "delivered " + std::to_string(attempts) + " times without an acknowledgement", attempts);
    return;
  }
  return_to_queue(receiver, entry.group, std::move(entry.waiting));
}

bool MessageDispatcher::settle(ReceiverId id, std::string_view event_id, MonotonicTime now) {
  Receiver& receiver = at(id);
  const std::uint64_t id_hash = hash_text(event_id, topic_hash_seed());
  const auto entry = std::find_if(receiver.unsettled.begin(), receiver.unsettled.end(), [&](const InFlight& e) {
    return e.id_hash == id_hash && e.waiting.message.event().envelope.id == event_id;
  });
  if (entry == receiver.unsettled.end()) return false;
  receiver.unsettled.erase(entry);
  ++receiver.queue.counters.settled;
  pump(receiver, now);
  return true;
}

bool MessageDispatcher::refuse(ReceiverId id, std::string_view event_id, MonotonicTime now) {
  Receiver& receiver = at(id);
  for (auto entry = receiver.unsettled.begin(); entry != receiver.unsettled.end(); ++entry) {
    if (entry->waiting.message.event().envelope.id != event_id) continue;
    InFlight refused = std::move(*entry);
    receiver.unsettled.erase(entry);
    put_back(receiver, std::move(refused));
    pump_groups_of(receiver, now);
    pump(receiver, now);
    return true;
  }
  return false;
}

// Each receiver has one entry in the heap, for its oldest delivery; entries of settled deliveries are found out when due.
void MessageDispatcher::watch_deadline(Receiver& receiver) {
  if (receiver.deadline_watched || receiver.unsettled.empty()) return;
  receiver.deadline_watched = true;
  due_.push_back({receiver.unsettled.front().deadline, receiver.id, receiver.incarnation});
  std::push_heap(due_.begin(), due_.end(), std::greater<>{});
}

std::optional<MonotonicTime> MessageDispatcher::next_deadline() const noexcept {
  if (due_.empty()) return std::nullopt;
  return due_.front().when;
}

void MessageDispatcher::on_time(MonotonicTime now) {
  while (!due_.empty() && due_.front().when <= now) {
    std::pop_heap(due_.begin(), due_.end(), std::greater<>{});
    const Due due = due_.back();
    due_.pop_back();
    if (due.receiver >= receivers_.size() || receivers_[due.receiver] == nullptr) continue;
    Receiver& receiver = at(due.receiver);
    if (receiver.incarnation != due.incarnation) continue;
    receiver.deadline_watched = false;

    std::vector<InFlight> overdue;
    const auto first_kept = std::find_if(receiver.unsettled.begin(), receiver.unsettled.end(),
                                         [&](const InFlight& e) { return e.deadline > now; });
    std::move(receiver.unsettled.begin(), first_kept, std::back_inserter(overdue));
    receiver.unsettled.erase(receiver.unsettled.begin(), first_kept);
    for (auto entry = overdue.rbegin(); entry != overdue.rend(); ++entry) put_back(receiver, std::move(*entry));
    watch_deadline(receiver);
    pump_groups_of(receiver, now);
    pump(receiver, now);
  }
}

std::size_t MessageDispatcher::in_flight(ReceiverId id) const noexcept { return at(id).in_flight(); }
const Mailbox& MessageDispatcher::mailbox(ReceiverId id) const noexcept { return at(id).queue.mailbox; }
const ReceiverConfig& MessageDispatcher::config(ReceiverId id) const noexcept { return at(id).config; }
const ReceiverCounters& MessageDispatcher::counters(ReceiverId id) const noexcept { return at(id).queue.counters; }

std::size_t MessageDispatcher::group_depth(GroupId group) const noexcept {
  return group < groups_.size() && groups_[group] != nullptr ? groups_[group]->queue.mailbox.size() : 0;
}

std::string_view MessageDispatcher::group_name(GroupId group) const noexcept {
  return group < groups_.size() && groups_[group] != nullptr ? std::string_view(groups_[group]->queue.name) : std::string_view();
}

std::span<const ReceiverId> MessageDispatcher::group_members(GroupId group) const noexcept {
  if (group >= groups_.size() || groups_[group] == nullptr) return {};
  return groups_[group]->members;
}

bool MessageDispatcher::quiet() const noexcept {
  const auto busy_receiver = [](const auto& r) { return r != nullptr && (!r->queue.mailbox.empty() || r->in_flight() != 0); };
  const auto busy_group = [](const auto& g) { return g != nullptr && !g->queue.mailbox.empty(); };
  return std::none_of(receivers_.begin(), receivers_.end(), busy_receiver) &&
         std::none_of(groups_.begin(), groups_.end(), busy_group);
}

}  // namespace tenon::message
