// What happens after an event was queued or given out: room, acknowledgements, deadlines.
#include "message/dispatcher.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "message/dispatcher_state.hpp"
#include "message/topic_hash.hpp"

namespace tenon::message {

void MessageDispatcher::tell_room(Queue& queue, FullQueue name) {
  if (!queue.somebody_waits) return;
  queue.somebody_waits = false;
  events_.queue_has_room(name);
}

// The queue whose next event for this receiver comes first, of those not passed over.
MessageDispatcher::Queue* MessageDispatcher::next_queue(Receiver& receiver, GroupId& group) {
  Queue* best = nullptr;
  MonotonicTime best_rank{};
  const auto consider = [&](Queue& queue, GroupId id) {
    if (queue.mailbox.empty()) return;
    if (std::find(passed_over_.begin(), passed_over_.end(), &queue) != passed_over_.end()) return;
    const auto next = queue.mailbox.next_for(receiver.id);
    if (!next || (best != nullptr && best_rank <= next->rank)) return;
    best = &queue;
    best_rank = next->rank;
    group = id;
  };
  consider(receiver.queue, kNoGroup);
  for (const GroupId id : receiver.groups)
    if (!receiver.closed || !has_reachable_member(*groups_[id])) consider(groups_[id]->queue, id);
  return best;
}

// Takes the best waiting event of all queues that the receiver serves. False when there is none that it can take.
bool MessageDispatcher::pump_one(Receiver& receiver, MonotonicTime now) {
  passed_over_.clear();
  GroupId group = kNoGroup;
  while (Queue* from = next_queue(receiver, group)) {
    const Waiting* waiting = from->mailbox.next_for(receiver.id)->waiting;
    if (is_expired(waiting->message.event())) {
      dead_letters_.dead_letter(waiting->message.event(), DeadLetterReason::expired, from->name,
                                "its expirytime passed while it waited", attempts_of(*waiting));
    } else {
      const Sent sent = try_send(receiver, waiting->message.event(), waiting, group, waiting->sender, now);
      if (sent == Sent::full && receiver.closed) continue;  // it said so just now: the group's event is for others
      if (sent == Sent::full) return false;
      if (sent == Sent::waits) {
        passed_over_.push_back(from);
        continue;
      }
    }
    from->mailbox.pop_for(receiver.id);
    tell_room(*from, group == kNoGroup ? FullQueue{.receiver = receiver.id} : FullQueue{.group = group});
    return true;
  }
  return false;
}

void MessageDispatcher::pump(Receiver& receiver, MonotonicTime now) {
  while (can_take(receiver) && pump_one(receiver, now)) {
  }
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

bool MessageDispatcher::settle(ReceiverId id, std::string_view event_id, MonotonicTime now) {
  Receiver& receiver = at(id);
  if (!receiver.unsettled.erase(hash_text(event_id, topic_hash_seed()), event_id)) return false;
  ++receiver.queue.counters.settled;
  pump(receiver, now);
  return true;
}

bool MessageDispatcher::refuse(ReceiverId id, std::string_view event_id, MonotonicTime now) {
  Receiver& receiver = at(id);
  std::optional<InFlight> refused = receiver.unsettled.take(hash_text(event_id, topic_hash_seed()), event_id);
  if (!refused) return false;
  put_back(receiver, std::move(*refused), AttemptEnd::refused);
  pump_returned(now);
  pump_groups_of(receiver, now);
  pump(receiver, now);
  return true;
}

// --- deadlines ---

// Each receiver has one entry in the heap, for its oldest delivery; entries of settled deliveries are found out when
// due, and so are those that the clock's standing still has put off.
void MessageDispatcher::watch_deadline(Receiver& receiver) {
  if (receiver.deadline_watched || receiver.unsettled.empty() || receiver.ack_clock_stopped) return;
  receiver.deadline_watched = true;
  due_.push_back({receiver.unsettled.front().deadline + receiver.ack_clock_lost, receiver.id, receiver.incarnation});
  std::push_heap(due_.begin(), due_.end(), std::greater<>{});
}

void MessageDispatcher::stop_ack_clock(ReceiverId id, MonotonicTime now) {
  if (id >= receivers_.size() || receivers_[id] == nullptr) return;
  Receiver& receiver = *receivers_[id];
  if (!receiver.ack_clock_stopped) receiver.ack_clock_stopped = now;
}

void MessageDispatcher::start_ack_clock(ReceiverId id, MonotonicTime now) {
  if (id >= receivers_.size() || receivers_[id] == nullptr) return;
  Receiver& receiver = *receivers_[id];
  if (!receiver.ack_clock_stopped) return;
  receiver.ack_clock_lost += now - *receiver.ack_clock_stopped;
  receiver.ack_clock_stopped.reset();
  watch_deadline(receiver);
}

std::optional<MonotonicTime> MessageDispatcher::next_deadline() const noexcept {
  if (!starved_.empty() && budget_.has_room(1)) return starved_since_;
  if (due_.empty()) return std::nullopt;
  return due_.front().when;
}

// Their receivers had room all the time, so nothing else would make them look into their queues again.
void MessageDispatcher::serve_starved(MonotonicTime now) {
  if (starved_.empty() || !budget_.has_room(1)) return;
  for (const FullQueue& queue : std::exchange(starved_, {})) {
    if (queue.receiver == kNoReceiver) {
      if (has_group(queue.group)) pump_group(queue.group, now);
    } else if (queue.receiver < receivers_.size() && receivers_[queue.receiver] != nullptr) {
      pump(at(queue.receiver), now);
    }
  }
}

void MessageDispatcher::on_time(MonotonicTime now) {
  serve_starved(now);
  while (!due_.empty() && due_.front().when <= now) {
    std::pop_heap(due_.begin(), due_.end(), std::greater<>{});
    const Due due = due_.back();
    due_.pop_back();
    if (due.receiver >= receivers_.size() || receivers_[due.receiver] == nullptr) continue;
    Receiver& receiver = at(due.receiver);
    if (receiver.incarnation != due.incarnation) continue;
    receiver.deadline_watched = false;

    std::vector<InFlight> overdue, still_held;
    while (!receiver.unsettled.empty() && receiver.unsettled.front().deadline <= receiver.own_time(now)) {
      InFlight entry = receiver.unsettled.pop_front();
      // Who is held still by the operator cannot answer. Its groups go on with what it has of theirs.
      const bool held = receiver.gate == Gate::paused && entry.group == kNoGroup;
      if (held) entry.deadline = receiver.own_time(now) + receiver.config.delivery.ack_timeout;
      (held ? still_held : overdue).push_back(std::move(entry));
    }
    for (InFlight& entry : still_held) receiver.unsettled.push_back(std::move(entry));
    for (auto entry = overdue.rbegin(); entry != overdue.rend(); ++entry)
      put_back(receiver, std::move(*entry), AttemptEnd::timed_out);
    watch_deadline(receiver);
    pump_returned(now);
    pump_groups_of(receiver, now);
    pump(receiver, now);
  }
}

}  // namespace tenon::message
