// Waiting senders: parking their events, finding cycles among them, and going on when there is room or the time is up.
#include <algorithm>

#include "message/router.hpp"

namespace tenon::message {

void MessageRouter::park(const Event& event, const Publisher& publisher, MonotonicTime now, Delivery* delivery) {
  ParkedSender& sender = parked_[publisher.self];
  if (sender.events.empty()) {
    sender.name = publisher.name;
    sender.publisher = publisher;
    sender.publisher.name = sender.name;
    dispatcher_.stop_ack_clock(publisher.self, now);
  }
  MessageRef message = MessageRef::copy(event, parking_);
  sender.bytes += message.size();
  sender.events.push_back({std::move(message), now + config_.block_for});
  ++counters_.parked;
  if (delivery == nullptr) return;
  sender.head_routed = true;
  sender.receivers = delivery->receivers;
  sender.groups = delivery->groups;
  sender.waits_for = *delivery->full;
  sender.head_cost = MessageRef::cost(event);
  sender.head_result = delivery->result;
}

MessageRouter::ParkedSender* MessageRouter::waiting_sender(ReceiverId id) noexcept {
  const auto at = parked_.find(id);
  return at == parked_.end() || at->second.events.empty() ? nullptr : &at->second;
}

// Whether waiting for `full` is waiting for oneself: everybody who could make room there waits in turn, for the sender
// or for one another. One look at each is enough, since the first who does not wait decides.
bool MessageRouter::would_wait_for_itself(ReceiverId sender, FullQueue full) {
  std::vector<ReceiverId> seen{sender};
  std::vector<FullQueue> left{full};
  const auto waits = [&](ReceiverId id) {
    if (std::find(seen.begin(), seen.end(), id) != seen.end()) return true;
    const ParkedSender* waiting = waiting_sender(id);
    if (waiting == nullptr) return false;
    seen.push_back(id);
    left.push_back(waiting->waits_for);
    return true;
  };
  while (!left.empty()) {
    const FullQueue queue = left.back();
    left.pop_back();
    if (queue.receiver != kNoReceiver) {
      if (!waits(queue.receiver)) return false;
      continue;
    }
    for (const ReceiverId id : dispatcher_.group_members(queue.group))
      if (dispatcher_.gate(id) < Gate::stopped && !waits(id)) return false;
  }
  return true;
}

std::size_t MessageRouter::parked_bytes(ReceiverId sender) const noexcept {
  const auto parked = parked_.find(sender);
  return parked == parked_.end() ? 0 : parked->second.bytes;
}

std::optional<ParkedView> MessageRouter::parked(ReceiverId id) const {
  const auto at = parked_.find(id);
  if (at == parked_.end() || at->second.events.empty()) return std::nullopt;
  const ParkedSender& sender = at->second;
  return ParkedView{name_of(sender.waits_for), dispatcher_.mailbox_has_room(sender.waits_for, sender.head_cost),
                    sender.events.size(), sender.bytes, sender.events.front().deadline - config_.block_for};
}

void MessageRouter::queue_has_room(FullQueue queue) {
  std::vector<ReceiverId> waiting;
  for (auto& [id, sender] : parked_)
    if (!sender.resuming && !sender.events.empty() && sender.waits_for == queue) waiting.push_back(id);
  for (const ReceiverId id : waiting) resume(id, last_now_);
}

// True when the head is done with, false when it still waits.
bool MessageRouter::resume_head(ParkedSender& sender, MonotonicTime now) {
  const MessageRef head = sender.events.front().message;
  Delivery delivery{sender.receivers, sender.groups};
  if (!sender.head_routed) {
    sender.head_routed = true;
    sender.receivers.clear();
    sender.groups.clear();
    sender.head_result = {};
    if (!resolve(head.event(), sender.publisher, delivery, now)) return true;
  }
  delivery.result = sender.head_result;
  serve(head.event(), sender.publisher, delivery, now);
  sender.head_result = delivery.result;
  if (!delivery.full) return true;
  sender.waits_for = *delivery.full;
  sender.head_cost = MessageRef::cost(head.event());
  return false;
}

void MessageRouter::resume(ReceiverId id, MonotonicTime now) {
  const auto at = parked_.find(id);
  if (at == parked_.end() || at->second.resuming || at->second.events.empty()) return;
  ParkedSender& sender = at->second;
  sender.resuming = true;  // serving may free room that others wait for, and so come back here
  while (!sender.events.empty() && resume_head(sender, now)) {
    sender.bytes -= sender.events.front().message.size();
    sender.events.front() = {};
    sender.events.pop_front();
    sender.head_routed = false;
  }
  sender.resuming = false;
  if (!sender.events.empty()) return;
  if (id > next_orphan_) {
    parked_.erase(id);
    return;
  }
  dispatcher_.start_ack_clock(id, now);
  events_.sender_released(id);
}

// The full queue alone is given up; the receivers behind it still get the event. All of the sender's events whose time
// is up go now, so that no event waits for the patience that the one before it had.
void MessageRouter::give_up_overdue(ReceiverId id, MonotonicTime now) {
  for (ParkedSender* sender = waiting_sender(id);
       sender != nullptr && !sender->resuming && sender->events.front().deadline <= now; sender = waiting_sender(id)) {
    give_up_on(sender->events.front().message.event(), sender->waits_for);
    std::erase(sender->receivers, sender->waits_for.receiver);
    std::erase(sender->groups, sender->waits_for.group);
    resume(id, now);
  }
}

// Parked events that were still to go to groups which are no more. Their ids may soon belong to others.
void MessageRouter::drop_groups(const std::vector<GroupId>& groups, MonotonicTime now) {
  for (const GroupId group : groups) {
    if (!dispatcher_.group_members(group).empty()) continue;
    std::vector<ReceiverId> waited;
    for (auto& [id, sender] : parked_) {
      if (sender.events.empty() || std::erase(sender.groups, group) == 0) continue;
      ++counters_.dead_lettered;
      dead_letters_.dead_letter(sender.events.front().message.event(), DeadLetterReason::receiver_ended, {},
                                "the last member of the group left before it could take the event", 0);
      if (sender.waits_for == FullQueue{.group = group}) waited.push_back(id);
    }
    for (const ReceiverId id : waited) resume(id, now);
  }
}

// What parked events were still to bring to a receiver that is forgotten. Whoever waits for it goes on when the
// dispatcher tells that it is gone.
void MessageRouter::drop_receiver(ReceiverId receiver) {
  for (auto& [id, sender] : parked_) {
    if (sender.events.empty() || std::erase(sender.receivers, receiver) == 0) continue;
    ++counters_.dead_lettered;
    dead_letters_.dead_letter(sender.events.front().message.event(), DeadLetterReason::receiver_ended,
                              dispatcher_.config(receiver).name, "the receiver was removed before it took the event",
                              0);
  }
}

void MessageRouter::give_up_all() {
  for (auto& [id, sender] : parked_) {
    for (; !sender.events.empty(); sender.events.pop_front()) {
      dead_letters_.dead_letter(sender.events.front().message.event(), DeadLetterReason::shutdown, {},
                                "the host ended while the event waited for its receiver; send it again", 0);
      sender.events.front() = {};
    }
    sender.bytes = 0;
  }
  dispatcher_.give_up_all();
}

void MessageRouter::disown(ReceiverId sender) {
  auto node = parked_.extract(sender);
  if (node.empty() || node.mapped().events.empty()) return;
  Publisher& publisher = node.mapped().publisher;
  publisher.self = kNoReceiver;
  publisher.events = nullptr;
  node.key() = next_orphan_--;
  parked_.insert(std::move(node));
}

}  // namespace tenon::message
