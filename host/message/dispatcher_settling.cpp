// What happens after an event was queued or given out: room, acknowledgements, deadlines.
#include "message/dispatcher.hpp"

#include <algorithm>

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
  for (const GroupId id : receiver.groups) consider(group_at(id).queue, id);
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
                                "its expirytime passed while it waited", waiting->attempts);
    } else {
      const Sent sent = try_send(receiver, waiting->message.event(), waiting, group, now);
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

void MessageDispatcher::pump_group(GroupId id, MonotonicTime now) {
  Group& group = group_at(id);
  while (!group.queue.mailbox.empty()) {
    Receiver* best = choose_member(group, kNoReceiver);
    if (best == nullptr) return;
    if (pump_one(*best, now)) continue;
    // The least busy one can take none of these (they are its own, or in its hands already): anybody else?
    const bool taken = std::any_of(group.members.begin(), group.members.end(), [&](ReceiverId member) {
      return member != best->id && can_take(at(member)) && pump_one(at(member), now);
    });
    if (!taken) return;
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

}  // namespace tenon::message
