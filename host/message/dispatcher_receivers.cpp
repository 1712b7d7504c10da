// Receivers and groups: coming, going, gates, and what returns when a channel ends.
#include "message/dispatcher.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "message/dispatcher_state.hpp"
#include "message/topic_hash.hpp"

namespace tenon::message {

MessageDispatcher::MessageDispatcher(EventBudget& budget, DeadLetterSink& dead_letters, DispatcherEvents& events)
    : budget_(budget), dead_letters_(dead_letters), events_(events) {}
MessageDispatcher::~MessageDispatcher() = default;

MessageDispatcher::Receiver& MessageDispatcher::at(ReceiverId id) const noexcept {
  assert(id < receivers_.size() && receivers_[id] != nullptr);
  return *receivers_[id];
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
  observers_ += receiver->config.observer;
  receivers_[id] = std::move(receiver);
  return id;
}

void MessageDispatcher::set_terms(ReceiverId id, const MailboxConfig& mailbox, const DeliveryConfig& delivery,
                                  MonotonicTime now) {
  Receiver& receiver = at(id);
  const bool same_mailbox = receiver.config.mailbox == mailbox;
  receiver.config.mailbox = mailbox;
  receiver.queue.config = mailbox;
  // The modes keep different books of what is in flight.
  const bool at_once = receiver.config.delivery.mode == delivery.mode || receiver.in_flight() == 0;
  receiver.next_delivery = at_once ? std::nullopt : std::optional(delivery);
  if (at_once) receiver.config.delivery = delivery;
  for (const GroupId group : same_mailbox ? std::vector<GroupId>() : receiver.groups) {
    set_group_limits(*groups_[group]);
    tell_room(groups_[group]->queue, FullQueue{.group = group});
  }
  tell_room(receiver.queue, FullQueue{.receiver = id});
  if (receiver.outlet != nullptr) pump(receiver, now);
}

void MessageDispatcher::remove_receiver(ReceiverId id, MonotonicTime now) {
  detach(id, {}, now);
  set_gate(id, Gate::ended, now);
  Receiver& receiver = at(id);
  const auto is_joined = [this](GroupId group) { return groups_[group]->parts.empty(); };  // unions go with their parts
  for (auto joined = receiver.groups.begin(); !receiver.groups.empty(); joined = receiver.groups.begin())
    leave_group(id, *std::find_if(joined, receiver.groups.end(), is_joined), now);
  forget_sender(id);
  observers_ -= receiver.config.observer;
  receivers_[id].reset();
  free_.push_back(id);
}

// Its number may become another's.
void MessageDispatcher::forget_sender(ReceiverId id) {
  for (const auto& group : groups_)
    if (group != nullptr) group->queue.mailbox.forget_sender(id);
  for (const auto& receiver : receivers_) {
    if (receiver == nullptr) continue;
    receiver->unsettled.for_each([id](InFlight& entry) {
      if (entry.waiting.sender == id) entry.waiting.sender = kNoReceiver;
    });
    for (std::size_t i = 0; i < receiver->unwritten.size(); ++i)
      if (receiver->unwritten[i].sender == id) receiver->unwritten[i].sender = kNoReceiver;
  }
}

void MessageDispatcher::attach(ReceiverId id, Outlet& outlet) {
  Receiver& receiver = at(id);
  if (receiver.next_delivery) receiver.config.delivery = *std::exchange(receiver.next_delivery, std::nullopt);
  receiver.outlet = &outlet;
  receiver.outlet_full = false;
  receiver.closed = false;
}

void MessageDispatcher::detach(ReceiverId id, std::span<const MessageRef> unsent, MonotonicTime now) {
  Receiver& receiver = at(id);
  receiver.closed = false;
  receiver.outlet = nullptr;
  if (receiver.keeps_until_settled()) {
    take_back_unsent(receiver, unsent);  // last, and so behind the others: it was given out last
    take_back_unsettled(receiver);
  } else {
    take_back_unwritten(receiver, unsent, now);
  }
  pump_returned(now);
  pump_groups_of(receiver, now);
}

void MessageDispatcher::close_outlet(ReceiverId id, std::span<const MessageRef> unsent, MonotonicTime now) {
  Receiver& receiver = at(id);
  receiver.closed = true;  // first: its groups' events are for the others
  receiver.outlet = nullptr;
  if (receiver.keeps_until_settled()) take_back_unsent(receiver, unsent);
  else take_back_unwritten(receiver, unsent, now);
  pump_returned(now);
  pump_groups_of(receiver, now);
  pump(receiver, now);
}

void MessageDispatcher::take_back_unsent(Receiver& receiver, std::span<const MessageRef> unsent) {
  for (auto message = unsent.rbegin(); message != unsent.rend(); ++message) {
    const std::string_view id = message->event().envelope.id;
    std::optional<InFlight> never_seen = receiver.unsettled.take(hash_text(id, topic_hash_seed()), id);
    if (!never_seen) continue;
    --never_seen->waiting.attempts;
    return_to_queue(receiver, never_seen->group, never_seen->group_incarnation, std::move(never_seen->waiting));
  }
}

void MessageDispatcher::take_back_unsettled(Receiver& receiver) {
  std::vector<InFlight> unsettled;
  unsettled.reserve(receiver.unsettled.size());
  while (!receiver.unsettled.empty()) unsettled.push_back(receiver.unsettled.pop_front());
  for (auto entry = unsettled.rbegin(); entry != unsettled.rend(); ++entry)
    put_back(receiver, std::move(*entry), AttemptEnd::exited);
}

void MessageDispatcher::take_back_unwritten(Receiver& receiver, std::span<const MessageRef> unsent, MonotonicTime now) {
  const std::size_t given = receiver.unwritten.size();
  for (std::size_t i = 0; i < unsent.size() && i < given; ++i) {
    const Receiver::Unwritten& entry = receiver.unwritten[given - 1 - i];
    return_to_queue(receiver, entry.group, entry.group_incarnation,
                    Waiting{unsent[unsent.size() - 1 - i], now, 0, entry.sender});
  }
  receiver.queue.counters.settled += given - std::min(given, unsent.size());
  receiver.unwritten.clear();
}

std::size_t MessageDispatcher::dead_letter_waiting(ReceiverId id, DeadLetterReason reason, std::string_view detail) {
  Queue& queue = at(id).queue;
  std::size_t taken = 0;
  for (; !queue.mailbox.empty(); ++taken) {
    const Waiting waiting = queue.mailbox.pop_front();
    dead_letters_.dead_letter(waiting.message.event(), reason, queue.name, detail, attempts_of(waiting));
  }
  return taken;
}

void MessageDispatcher::set_gate(ReceiverId id, Gate gate, MonotonicTime now) {
  Receiver& receiver = at(id);
  receiver.gate = gate;
  if (gate == Gate::open) pump(receiver, now);
  if (gate < Gate::stopped) return;
  if (gate == Gate::ended) flush(receiver.queue);
  for (std::size_t i = 0; i < receiver.groups.size(); ++i) member_is_gone(receiver.groups[i], now);
  tell_room(receiver.queue, FullQueue{.receiver = id});
}

Gate MessageDispatcher::gate(ReceiverId id) const noexcept { return at(id).gate; }

void MessageDispatcher::flush(Queue& queue) {
  while (!queue.mailbox.empty()) dead_letter_ended(queue.mailbox.pop_front(), queue);
}

void MessageDispatcher::dead_letter_ended(const Waiting& waiting, const Queue& queue) {
  dead_letters_.dead_letter(waiting.message.event(), DeadLetterReason::receiver_ended, queue.name,
                            "the receiver ended before it took the event; start it again and replay it",
                            attempts_of(waiting));
}

void MessageDispatcher::return_to_queue(Receiver& receiver, GroupId group, std::uint32_t incarnation, Waiting waiting) {
  if (!is_group(group, incarnation)) return receiver.queue.mailbox.push_returned(std::move(waiting));
  groups_[group]->queue.mailbox.push_returned(std::move(waiting));
  if (std::find(returned_to_.begin(), returned_to_.end(), group) == returned_to_.end()) returned_to_.push_back(group);
}

void MessageDispatcher::put_back(Receiver& receiver, InFlight entry, AttemptEnd why) {
  Waiting& waiting = entry.waiting;
  auto history = std::make_shared<DeliveryHistory>();
  if (waiting.history != nullptr) *history = *waiting.history;
  if (history->size() == kKeptAttempts) history->erase(history->begin());
  history->push_back({receiver.config.name, wall_now_, why});
  waiting.history = std::move(history);
  if (waiting.attempts >= receiver.config.delivery.attempts) {
    dead_letters_.dead_letter(waiting.message.event(), DeadLetterReason::attempts_exhausted, receiver.config.name,
                              "delivered " + std::to_string(waiting.attempts) +
                                  " times without an acknowledgement; the last ended by " +
                                  std::string(to_string(why)) + " of " + receiver.config.name,
                              attempts_of(waiting));
    return;
  }
  return_to_queue(receiver, entry.group, entry.group_incarnation, std::move(entry.waiting));
}

std::size_t MessageDispatcher::in_flight(ReceiverId id) const noexcept { return at(id).in_flight(); }
const Mailbox& MessageDispatcher::mailbox(ReceiverId id) const noexcept { return at(id).queue.mailbox; }
const ReceiverConfig& MessageDispatcher::config(ReceiverId id) const noexcept { return at(id).config; }
const ReceiverCounters& MessageDispatcher::counters(ReceiverId id) const noexcept { return at(id).queue.counters; }

void MessageDispatcher::give_up_all() {
  const auto give_up = [this](const Waiting& waiting, std::string_view name) {
    dead_letters_.dead_letter(waiting.message.event(), DeadLetterReason::shutdown, name,
                              "the host ended before it could be delivered; send it again", attempts_of(waiting));
  };
  for (const auto& receiver : receivers_) {
    if (receiver == nullptr) continue;
    while (!receiver->unsettled.empty()) give_up(receiver->unsettled.pop_front().waiting, receiver->config.name);
    while (!receiver->queue.mailbox.empty()) give_up(receiver->queue.mailbox.pop_front(), receiver->queue.name);
  }
  for (const auto& group : groups_)
    while (group != nullptr && !group->queue.mailbox.empty())
      give_up(group->queue.mailbox.pop_front(), group->queue.name);
}

bool MessageDispatcher::quiet() const noexcept {
  const auto busy_receiver = [](const auto& r) {
    return r != nullptr && (!r->queue.mailbox.empty() || r->in_flight() != 0);
  };
  const auto busy_group = [](const auto& g) { return g != nullptr && !g->queue.mailbox.empty(); };
  return std::none_of(receivers_.begin(), receivers_.end(), busy_receiver) &&
         std::none_of(groups_.begin(), groups_.end(), busy_group);
}

}  // namespace tenon::message
