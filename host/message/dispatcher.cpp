// How an event comes to its receivers: straight to an outlet, or into a queue.
#include "message/dispatcher.hpp"

#include <algorithm>
#include <cassert>

#include "message/dispatcher_state.hpp"
#include "message/expiry.hpp"
#include "message/topic_hash.hpp"

namespace tenon::message {

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

MessageDispatcher::Sent MessageDispatcher::try_send(Receiver& receiver, const Event& event, const Waiting* waiting,
                                                    GroupId group, MonotonicTime now) {
  const std::uint32_t before = waiting == nullptr ? 0 : waiting->attempts;
  const bool keep = receiver.keeps_until_settled();
  std::uint64_t id_hash = 0;
  if (keep) {
    id_hash = hash_text(event.envelope.id, topic_hash_seed());
    if (is_in_flight(receiver, id_hash, event.envelope.id)) return Sent::waits;
    if (waiting == nullptr && !budget_.has_room(MessageRef::cost(event))) return Sent::waits;
  }
  const Offer offer = receiver.outlet->offer(event, before + 1);
  if (offer.result == OfferResult::full) {
    receiver.outlet_full = true;
    return Sent::full;
  }
  if (offer.result != OfferResult::taken) {
    dead_letter_refused(receiver, event, offer, before);
    return Sent::refused;
  }
  ++receiver.queue.counters.delivered;
  if (before > 0) ++receiver.queue.counters.redelivered;
  if (keep) {
    Waiting copy = waiting != nullptr ? *waiting : Waiting{MessageRef::copy(event, budget_), now};
    copy.attempts = before + 1;
    receiver.unsettled.push_back(
        {id_hash, std::move(copy), now + receiver.config.delivery.ack_timeout, group, incarnation_of(group)});
    watch_deadline(receiver);
  } else {
    receiver.unwritten.push_back({offer.end, group, incarnation_of(group)});
  }
  return Sent::given;
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
  if (receiver.queue.mailbox.empty() && can_take(receiver)) {
    switch (try_send(receiver, event, nullptr, kNoGroup, now)) {
      case Sent::given: return Verdict::delivered;
      case Sent::refused: return Verdict::dead_lettered;
      case Sent::full:
      case Sent::waits: break;
    }
  }
  return enqueue(receiver.queue, event, kNoReceiver, now);
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

// The least busy member first; the others when that one had less room than it seemed. Empty: none could take it.
std::optional<Verdict> MessageDispatcher::offer_to_members(Group& group, GroupId group_id, const Event& event,
                                                           ReceiverId sender, MonotonicTime now) {
  Receiver* best = choose_member(group, sender);
  if (best == nullptr) return std::nullopt;
  Sent sent = try_send(*best, event, nullptr, group_id, now);
  for (std::size_t i = 0; i < group.members.size() && (sent == Sent::full || sent == Sent::waits); ++i) {
    Receiver& member = at(group.members[i]);
    if (&member != best && member.id != sender && can_take(member)) sent = try_send(member, event, nullptr, group_id, now);
  }
  if (sent == Sent::given) return Verdict::delivered;
  if (sent == Sent::refused) return Verdict::dead_lettered;
  return std::nullopt;
}

Verdict MessageDispatcher::deliver_to_group(GroupId group_id, const Event& event, ReceiverId sender, MonotonicTime now) {
  Group* group = group_id < groups_.size() ? groups_[group_id].get() : nullptr;
  if (group == nullptr || !has_live_member(*group, sender)) {
    dead_letters_.dead_letter(event, DeadLetterReason::receiver_ended, group_name(group_id),
                              "no member of the group can take it any more; start one and replay the event", 0);
    return Verdict::dead_lettered;
  }
  const bool nobody_waited = group->queue.mailbox.empty();
  if (nobody_waited)
    if (const auto verdict = offer_to_members(*group, group_id, event, sender, now)) return *verdict;
  const Verdict verdict = enqueue(group->queue, event, sender, now);
  // What waits may do so for its own reason (its sender is the only free member): this one need not wait behind it.
  if (verdict == Verdict::queued && !nobody_waited) pump_group(group_id, now);
  return verdict;
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

}  // namespace tenon::message
