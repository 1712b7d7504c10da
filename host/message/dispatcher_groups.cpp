// Queue groups and their unions: who belongs to them, who gets the next event, what becomes of it when they end.
#include <algorithm>
#include <utility>

#include "message/dispatcher.hpp"
#include "message/dispatcher_state.hpp"

namespace tenon::message {

namespace {

template <class Id>
bool contains(const std::vector<Id>& ids, Id id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

MessageDispatcher::Group& MessageDispatcher::group_at(GroupId id) {
  if (groups_.size() <= id) groups_.resize(id + 1);
  if (groups_[id] == nullptr) {
    groups_[id] = std::make_unique<Group>();
    groups_[id]->incarnation = ++group_incarnations_;
  }
  return *groups_[id];
}

bool MessageDispatcher::is_group(GroupId id, std::uint32_t incarnation) const noexcept {
  return has_group(id) && groups_[id]->incarnation == incarnation;
}

std::uint32_t MessageDispatcher::incarnation_of(GroupId id) const noexcept {
  return has_group(id) ? groups_[id]->incarnation : 0;
}

// --- who gets the next event ---

bool MessageDispatcher::has_member(const Group& group, ReceiverId except, Gate worst) const noexcept {
  return std::any_of(group.members.begin(), group.members.end(),
                     [&](ReceiverId id) { return id != except && at(id).gate <= worst; });
}

bool MessageDispatcher::has_reachable_member(const Group& group) const noexcept {
  return std::any_of(group.members.begin(), group.members.end(),
                     [&](ReceiverId id) { return at(id).gate != Gate::ended && !at(id).closed; });
}

// Who closed its end takes nothing and so looks least busy: it is chosen only to dead-letter what nobody else can get.
MessageDispatcher::Receiver* MessageDispatcher::choose_member(Group& group, ReceiverId sender) noexcept {
  Receiver* best = nullptr;
  Receiver* closed = nullptr;
  const std::size_t count = group.members.size();
  for (std::size_t i = 0; i < count; ++i) {
    Receiver& member = at(group.members[(group.turn + i) % count]);
    if (member.id == sender || !can_take(member)) continue;
    if (member.closed) closed = &member;
    else if (best == nullptr || member.in_flight() < best->in_flight()) best = &member;
  }
  ++group.turn;
  if (best == nullptr && closed != nullptr && !has_reachable_member(group)) return closed;
  return best;
}

// The least busy member first; the others when that one had less room than it seemed. Empty: none could take it.
std::optional<Verdict> MessageDispatcher::offer_to_members(Group& group, GroupId group_id, const Event& event,
                                                           ReceiverId sender, MonotonicTime now) {
  Receiver* best = choose_member(group, sender);
  if (best == nullptr) return std::nullopt;
  const auto offer_to = [&](Receiver& member) {
    const bool was_closed = member.closed;
    const Sent sent = try_send(member, event, nullptr, group_id, sender, now);
    if (member.closed && !was_closed) pump(member, now);  // other groups may have waited for it
    return sent;
  };
  Sent sent = offer_to(*best);
  for (std::size_t i = 0; i < group.members.size() && (sent == Sent::full || sent == Sent::waits); ++i) {
    Receiver& member = at(group.members[i]);
    if (&member != best && member.id != sender && !member.closed && can_take(member)) sent = offer_to(member);
  }
  if (sent == Sent::given) return Verdict::delivered;
  if (sent == Sent::refused) return Verdict::dead_lettered;
  return std::nullopt;
}

Verdict MessageDispatcher::deliver_to_group(GroupId group_id, const Event& event, ReceiverId sender,
                                            MonotonicTime now) {
  Group* group = has_group(group_id) ? groups_[group_id].get() : nullptr;
  if (group == nullptr || !has_member(*group, sender, Gate::waiting)) {
    dead_letters_.dead_letter(event, DeadLetterReason::receiver_ended, group_name(group_id),
                              "no member of the group can take it any more; start one and replay the event", 0);
    return Verdict::dead_lettered;
  }
  const bool nobody_waited = group->queue.mailbox.empty();
  if (nobody_waited)
    if (const auto verdict = offer_to_members(*group, group_id, event, sender, now)) return *verdict;
  const Verdict verdict = enqueue(group->queue, {.group = group_id}, event, sender, now);
  // What waits may do so for its own reason (its sender is the only free member): this one need not wait behind it.
  if (verdict == Verdict::queued && !nobody_waited) pump_group(group_id, now);
  return verdict;
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

// By position: what goes out may make room for a waiting sender, whose next event may make the first union of two
// groups.
void MessageDispatcher::pump_groups_of(Receiver& receiver, MonotonicTime now) {
  for (std::size_t i = 0; i < receiver.groups.size(); ++i) pump_group(receiver.groups[i], now);
}

// Who gave events back may have left the group, and be the last who would look into its queue.
void MessageDispatcher::pump_returned(MonotonicTime now) {
  for (const GroupId id : std::exchange(returned_to_, {})) {
    if (!has_group(id)) continue;
    if (!has_member(*groups_[id], kNoReceiver, Gate::stopped)) flush(groups_[id]->queue);
    else pump_group(id, now);
  }
}

// --- coming and going ---

void MessageDispatcher::add_member(Group& group, GroupId id, Receiver& receiver) {
  if (contains(receiver.groups, id)) return;
  const MailboxConfig& mailbox = receiver.config.mailbox;
  if (group.members.empty()) group.queue.config = mailbox;
  group.queue.config.capacity = std::max(group.queue.config.capacity, mailbox.capacity);
  group.queue.config.bytes = std::max(group.queue.config.bytes, mailbox.bytes);
  group.members.push_back(receiver.id);
  receiver.groups.push_back(id);
}

// The rule of the member that came first, the largest limits of all. Linear in the members.
void MessageDispatcher::set_group_limits(Group& group) {
  MailboxConfig& limits = group.queue.config;
  limits = at(group.members.front()).config.mailbox;
  for (const ReceiverId member : group.members) {
    limits.capacity = std::max(limits.capacity, at(member).config.mailbox.capacity);
    limits.bytes = std::max(limits.bytes, at(member).config.mailbox.bytes);
  }
}

void MessageDispatcher::join_group(ReceiverId id, GroupId group_id, std::string_view group_name, MonotonicTime now) {
  Receiver& receiver = at(id);
  if (contains(receiver.groups, group_id)) return;
  Group& group = group_at(group_id);
  group.queue.name = group_name;
  add_member(group, group_id, receiver);
  for (const GroupId all : group.unions) add_member(*groups_[all], all, receiver);
  pump(receiver, now);
}

void MessageDispatcher::unite(GroupId group_id, std::string_view group_name, std::span<const GroupId> parts) {
  Group& group = group_at(group_id);
  group.queue.name = group_name;
  for (const GroupId part : parts) {
    if (!has_group(part)) continue;  // ended meanwhile
    group.parts.push_back(part);
    groups_[part]->unions.push_back(group_id);
    for (const ReceiverId member : groups_[part]->members) add_member(group, group_id, at(member));
  }
}

void MessageDispatcher::leave_group(ReceiverId id, GroupId group_id, MonotonicTime now) {
  Receiver& receiver = at(id);
  if (!contains(receiver.groups, group_id)) return;
  // Out of the part first: a union that is made from here on must not count it as a member.
  std::erase(receiver.groups, group_id);
  std::erase(groups_[group_id]->members, id);
  const std::vector<GroupId> unions = groups_[group_id]->unions;
  for (const GroupId all : unions) {
    const auto& parts = groups_[all]->parts;
    const bool stays = std::any_of(parts.begin(), parts.end(), [&](GroupId p) { return contains(receiver.groups, p); });
    if (!stays) remove_member(all, receiver, now);
  }
  remove_member(group_id, receiver, now);
}

void MessageDispatcher::remove_member(GroupId id, Receiver& receiver, MonotonicTime now) {
  std::erase(receiver.groups, id);
  std::erase(groups_[id]->members, receiver.id);
  member_is_gone(id, now);
  if (groups_[id]->members.empty()) end_group(id);
}

// It left, ended or was stopped: what waits may have lost the last who could take it, or who kept it waiting.
void MessageDispatcher::member_is_gone(GroupId id, MonotonicTime now) {
  Group& group = *groups_[id];
  if (!has_member(group, kNoReceiver, Gate::stopped)) flush(group.queue);
  for (const ReceiverId last : group.members) {
    if (group.queue.mailbox.empty() || at(last).gate == Gate::ended || has_member(group, last, Gate::stopped))
      continue;
    for (const Waiting& own : group.queue.mailbox.take_sent_by(last))
      dead_letter_ended(own, group.queue);
  }
  if (!has_reachable_member(group)) pump_group(id, now);
  tell_room(group.queue, FullQueue{.group = id});
}

void MessageDispatcher::end_group(GroupId id) {
  for (const GroupId all : groups_[id]->unions) std::erase(groups_[all]->parts, id);
  for (const GroupId part : groups_[id]->parts) std::erase(groups_[part]->unions, id);
  groups_[id].reset();
}

void MessageDispatcher::merge_groups(GroupId from, GroupId into, MonotonicTime now) {
  if (!has_group(from)) return;  // ended with its last member
  Group& source = *groups_[from];
  if (!has_group(into)) {
    flush(source.queue);
  } else {
    Group& target = *groups_[into];
    target.queue.mailbox.merge(std::move(source.queue.mailbox));
    target.queue.somebody_waits |= source.queue.somebody_waits;
    target.queue.counters.dropped += source.queue.counters.dropped;
    target.queue.counters.rejected += source.queue.counters.rejected;
    const auto hand_over = [&](auto& entry) {
      if (entry.group == from && entry.group_incarnation == source.incarnation)
        entry.group = into, entry.group_incarnation = target.incarnation;
    };
    for (const auto& receiver : receivers_) {  // also those that have left: what they hold returns to the group
      if (receiver == nullptr) continue;
      receiver->unsettled.for_each(hand_over);
      for (std::size_t i = 0; i < receiver->unwritten.size(); ++i) hand_over(receiver->unwritten[i]);
    }
  }
  for (const ReceiverId member : source.members) std::erase(at(member).groups, from);
  end_group(from);
  if (has_group(into)) pump_group(into, now);
}

// --- asking ---

const ReceiverCounters& MessageDispatcher::group_counters(GroupId group) const noexcept {
  return groups_[group]->queue.counters;
}

std::size_t MessageDispatcher::group_depth(GroupId group) const noexcept {
  return has_group(group) ? groups_[group]->queue.mailbox.size() : 0;
}

std::string_view MessageDispatcher::group_name(GroupId group) const noexcept {
  return has_group(group) ? std::string_view(groups_[group]->queue.name) : std::string_view();
}

std::span<const ReceiverId> MessageDispatcher::group_members(GroupId group) const noexcept {
  if (!has_group(group)) return {};
  return groups_[group]->members;
}

std::span<const GroupId> MessageDispatcher::groups_of(ReceiverId id) const noexcept { return at(id).groups; }

}  // namespace tenon::message
