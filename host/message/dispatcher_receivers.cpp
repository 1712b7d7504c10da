// Receivers and groups: coming, going, gates, and what returns when a channel ends.
#include "message/dispatcher.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "message/dispatcher_state.hpp"

namespace tenon::message {

MessageDispatcher::MessageDispatcher(EventBudget& budget, DeadLetterSink& dead_letters, DispatcherEvents& events)
    : budget_(budget), dead_letters_(dead_letters), events_(events) {}
MessageDispatcher::~MessageDispatcher() = default;

MessageDispatcher::Receiver& MessageDispatcher::at(ReceiverId id) const noexcept {
  assert(id < receivers_.size() && receivers_[id] != nullptr);
  return *receivers_[id];
}

MessageDispatcher::Group& MessageDispatcher::group_at(GroupId id) {
  if (groups_.size() <= id) groups_.resize(id + 1);
  if (groups_[id] == nullptr) {
    groups_[id] = std::make_unique<Group>();
    groups_[id]->incarnation = ++group_incarnations_;
  }
  return *groups_[id];
}

bool MessageDispatcher::is_group(GroupId id, std::uint32_t incarnation) const noexcept {
  return id < groups_.size() && groups_[id] != nullptr && groups_[id]->incarnation == incarnation;
}

std::uint32_t MessageDispatcher::incarnation_of(GroupId id) const noexcept {
  return id < groups_.size() && groups_[id] != nullptr ? groups_[id]->incarnation : 0;
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

void MessageDispatcher::join_group(ReceiverId id, GroupId group_id, std::string_view group_name, MonotonicTime now) {
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
  pump(receiver, now);
}

void MessageDispatcher::leave_group(ReceiverId id, GroupId group_id) {
  Receiver& receiver = at(id);
  Group& group = group_at(group_id);
  std::erase(receiver.groups, group_id);
  std::erase(group.members, id);
  if (has_live_member(group, kNoReceiver)) return;
  flush(group.queue);
  const bool wanted = std::exchange(group.queue.somebody_waits, false);
  if (group.members.empty()) groups_[group_id].reset();
  if (wanted) events_.queue_has_room(FullQueue{.group = group_id});
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
    const auto never_seen = [&](const InFlight& entry) {
      return std::any_of(unsent.begin(), unsent.end(), [&](const MessageRef& message) {
        return message.event().envelope.id == entry.waiting.message.event().envelope.id;
      });
    };
    for (auto entry = unsettled.rbegin(); entry != unsettled.rend(); ++entry) {
      if (never_seen(*entry)) --entry->waiting.attempts;
      put_back(receiver, std::move(*entry));
    }
  } else {
    take_back_unwritten(receiver, unsent, now);
  }
  pump_groups_of(receiver, now);
}

void MessageDispatcher::take_back_unwritten(Receiver& receiver, std::span<const MessageRef> unsent, MonotonicTime now) {
  const std::size_t given = receiver.unwritten.size();
  for (std::size_t i = 0; i < unsent.size() && i < given; ++i) {
    const Receiver::Unwritten& entry = receiver.unwritten[given - 1 - i];
    return_to_queue(receiver, entry.group, entry.group_incarnation, Waiting{unsent[unsent.size() - 1 - i], now});
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

bool MessageDispatcher::has_live_member(const Group& group, ReceiverId sender) const noexcept {
  return std::any_of(group.members.begin(), group.members.end(),
                     [&](ReceiverId id) { return id != sender && at(id).gate != Gate::ended; });
}

void MessageDispatcher::return_to_queue(Receiver& receiver, GroupId group, std::uint32_t incarnation, Waiting waiting) {
  if (is_group(group, incarnation))
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
  return_to_queue(receiver, entry.group, entry.group_incarnation, std::move(entry.waiting));
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

std::span<const GroupId> MessageDispatcher::groups_of(ReceiverId id) const noexcept { return at(id).groups; }

bool MessageDispatcher::quiet() const noexcept {
  const auto busy_receiver = [](const auto& r) { return r != nullptr && (!r->queue.mailbox.empty() || r->in_flight() != 0); };
  const auto busy_group = [](const auto& g) { return g != nullptr && !g->queue.mailbox.empty(); };
  return std::none_of(receivers_.begin(), receivers_.end(), busy_receiver) &&
         std::none_of(groups_.begin(), groups_.end(), busy_group);
}

}  // namespace tenon::message
