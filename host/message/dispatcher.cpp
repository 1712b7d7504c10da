// How an event comes to its receivers: straight to an outlet, or into a queue.
#include "message/dispatcher.hpp"

#include <algorithm>
#include <cassert>

#include "message/dispatcher_state.hpp"
#include "message/expiry.hpp"
#include "message/topic_hash.hpp"

namespace tenon::message {

namespace {

constexpr std::string_view kClosed = "the receiver closed its standard input or socket; let it read on, or restart it";
constexpr std::string_view kFull = "the mailbox is full; find out why its receiver is slow, or raise mailbox.capacity";

}  // namespace

// A closed receiver takes everything, for try_send to dead-letter it.
bool MessageDispatcher::can_take(const Receiver& receiver) const noexcept {
  if (receiver.gate != Gate::open) return false;
  if (receiver.closed) return true;
  return receiver.outlet != nullptr && !receiver.outlet_full &&
         (!receiver.keeps_until_settled() || receiver.unsettled.size() < receiver.config.delivery.max_in_flight);
}

bool MessageDispatcher::is_expired(const Event& event) const {
  return has_expired(event.envelope, wall_now_);
}

void MessageDispatcher::dead_letter_refused(const Receiver& receiver, const Event& event, const Offer& offer,
                                            const Attempts& attempts) {
  DeadLetterReason reason = DeadLetterReason::channel_closed;
  if (offer.result == OfferResult::untranslatable) reason = DeadLetterReason::untranslatable;
  if (offer.result == OfferResult::too_large) reason = DeadLetterReason::too_large;
  dead_letters_.dead_letter(event, reason, receiver.config.name, offer.detail, attempts);
}

MessageDispatcher::SharedCopy::SharedCopy(MessageDispatcher& dispatcher, const Event& event)
    : dispatcher_(dispatcher), event_(&event), outer_(std::exchange(dispatcher.shared_, this)) {}
MessageDispatcher::SharedCopy::~SharedCopy() { dispatcher_.shared_ = outer_; }

std::size_t MessageDispatcher::cost_of_owning(const Event& event, std::size_t cost) const noexcept {
  return shared_ != nullptr && shared_->event_ == &event && shared_->copy_ ? 0 : cost;
}

MessageRef MessageDispatcher::own(const Event& event, std::size_t cost) {
  if (shared_ == nullptr || shared_->event_ != &event) return MessageRef::copy(event, budget_, cost);
  if (!shared_->copy_) shared_->copy_ = MessageRef::copy(event, budget_, cost);
  return shared_->copy_;
}

// `sender` of an event that comes from no queue: it must not get it back.
MessageDispatcher::Sent MessageDispatcher::try_send(Receiver& receiver, const Event& event, const Waiting* waiting,
                                                    GroupId group, ReceiverId sender, MonotonicTime now) {
  const std::uint32_t before = waiting == nullptr ? 0 : waiting->attempts;
  const bool keep = receiver.keeps_until_settled();
  std::uint64_t id_hash = 0;
  const Attempts attempts = waiting == nullptr ? Attempts() : attempts_of(*waiting);
  if (receiver.closed) {
    dead_letter_refused(receiver, event, {OfferResult::closed, 0, kClosed}, attempts);
    return Sent::refused;
  }
  if (keep) {
    id_hash = hash_text(event.envelope.id, topic_hash_seed());
    if (receiver.unsettled.find(id_hash, event.envelope.id) != nullptr) return Sent::waits;
    if (waiting == nullptr) {
      // Empty hands get an event from the spare room while others hold all of limits.events, or who is not to blame
      // would stand still.
      const std::size_t cost = cost_of_owning(event, MessageRef::cost(event));
      if (receiver.unsettled.empty() ? !budget_.has_spare_room(cost) : !budget_.has_room(cost)) return Sent::waits;
    }
  }
  const Offer offer = receiver.outlet->offer(event, before + 1);
  if (offer.result == OfferResult::full) {
    receiver.outlet_full = true;
    return Sent::full;
  }
  if (offer.result == OfferResult::closed) {
    receiver.closed = true;
    // What is for a group is for those that can still be reached.
    if (has_group(group) && has_reachable_member(*groups_[group])) return Sent::full;
  }
  if (offer.result != OfferResult::taken) {
    dead_letter_refused(receiver, event, offer, attempts);
    return Sent::refused;
  }
  ++receiver.queue.counters.delivered;
  if (before > 0) ++receiver.queue.counters.redelivered;
  if (keep) {
    Waiting copy = waiting != nullptr ? *waiting : Waiting{own(event, MessageRef::cost(event)), now, 0, sender};
    copy.attempts = before + 1;
    const MonotonicTime deadline = receiver.own_time(now) + receiver.config.delivery.ack_timeout;
    receiver.unsettled.push_back({id_hash, std::move(copy), deadline, group, incarnation_of(group)});
    watch_deadline(receiver);
  } else {
    receiver.unwritten.push_back({offer.end, group, incarnation_of(group), sender});
  }
  return Sent::given;
}

Verdict MessageDispatcher::refuse_at(Queue& queue, const Event& event, DeadLetterReason reason,
                                     std::string_view detail) {
  ++queue.counters.dropped;
  dead_letters_.dead_letter(event, reason, queue.name, detail, 0);
  if (reason != DeadLetterReason::rejected) return Verdict::dead_lettered;
  ++queue.counters.rejected;
  return Verdict::rejected;
}

Verdict MessageDispatcher::enqueue(Queue& queue, FullQueue name, const Event& event, ReceiverId sender,
                                   MonotonicTime now) {
  const std::size_t size = MessageRef::cost(event);
  if (size > queue.config.bytes)
    return refuse_at(queue, event, DeadLetterReason::too_large, "larger than the whole mailbox; raise mailbox.bytes");
  if (size > budget_.limit())
    return refuse_at(queue, event, DeadLetterReason::too_large, "larger than limits.events; raise it or send less");
  if (!queue.mailbox.has_room(queue.config, size)) {
    switch (queue.config.overflow) {
      case Overflow::dead_letter: return refuse_at(queue, event, DeadLetterReason::mailbox_full, kFull);
      case Overflow::reject: return refuse_at(queue, event, DeadLetterReason::rejected, kFull);
      case Overflow::block: queue.somebody_waits = true; return Verdict::would_block;
      case Overflow::drop_oldest:
        while (!queue.mailbox.has_room(queue.config, size)) {
          const Waiting oldest = queue.mailbox.pop_oldest();
          ++queue.counters.dropped;
          dead_letters_.dead_letter(oldest.message.event(), DeadLetterReason::dropped_oldest, queue.name,
                                    "made room for a newer event", attempts_of(oldest));
        }
    }
  }
  // limits.events: sources wait, whatever the mailbox's own rule. But an empty queue may use the spare room: somebody
  // else's mailbox, full for good, must not stop those that are served.
  const std::size_t more = cost_of_owning(event, size);
  if (!budget_.has_room(more)) {
    if (!queue.mailbox.empty() || !budget_.has_spare_room(more)) {
      queue.somebody_waits = true;
      return Verdict::would_block;
    }
    if (starved_.empty()) starved_since_ = now;
    if (std::find(starved_.begin(), starved_.end(), name) == starved_.end()) starved_.push_back(name);
  }
  queue.mailbox.push(Waiting{own(event, size), now, 0, sender});
  return Verdict::queued;
}

Verdict MessageDispatcher::deliver(ReceiverId id, const Event& event, MonotonicTime now) {
  Receiver& receiver = at(id);
  if (receiver.gate >= Gate::stopped) {
    dead_letters_.dead_letter(event, DeadLetterReason::receiver_ended, receiver.config.name,
                              "the receiver has ended or was stopped; start it again and replay the event", 0);
    return Verdict::dead_lettered;
  }
  if (receiver.queue.mailbox.empty() && can_take(receiver)) {
    const bool was_closed = receiver.closed;
    switch (try_send(receiver, event, nullptr, kNoGroup, kNoReceiver, now)) {
      case Sent::given: return Verdict::delivered;
      case Sent::refused:
        if (receiver.closed && !was_closed) pump(receiver, now);  // groups may have waited for it
        return Verdict::dead_lettered;
      case Sent::full:
      case Sent::waits: break;
    }
  }
  return enqueue(receiver.queue, {.receiver = id}, event, kNoReceiver, now);
}

// nullptr: it is no more.
const MessageDispatcher::Queue* MessageDispatcher::find_queue(FullQueue name) const noexcept {
  if (name.receiver == kNoReceiver) return has_group(name.group) ? &groups_[name.group]->queue : nullptr;
  const bool is_there = name.receiver < receivers_.size() && receivers_[name.receiver] != nullptr;
  return is_there ? &at(name.receiver).queue : nullptr;
}

void MessageDispatcher::count_dropped(FullQueue name) noexcept {
  if (find_queue(name) == nullptr) return;
  Queue& queue = name.receiver == kNoReceiver ? groups_[name.group]->queue : at(name.receiver).queue;
  ++queue.counters.dropped;
}

bool MessageDispatcher::mailbox_has_room(FullQueue name, std::size_t size) const noexcept {
  const Queue* queue = find_queue(name);
  return queue == nullptr || queue->mailbox.has_room(queue->config, size);
}

bool MessageDispatcher::has_room(FullQueue name, std::size_t size) const noexcept {
  const Queue* queue = find_queue(name);
  if (queue == nullptr) return true;
  const bool fits = queue->mailbox.empty() ? budget_.has_spare_room(size) : budget_.has_room(size);
  return fits && queue->mailbox.has_room(queue->config, size);
}

}  // namespace tenon::message
