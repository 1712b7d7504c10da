#include "message/router.hpp"

#include <algorithm>

#include "message/expiry.hpp"

namespace tenon::message {

MessageRouter::MessageRouter(EventBudget& budget, DeadLetterSink& dead_letters, RouterEvents& events,
                             RouterConfig config)
    : budget_(budget), dead_letters_(dead_letters), events_(events), config_(config),
      dispatcher_(budget, dead_letters, *this) {}
MessageRouter::~MessageRouter() = default;

// --- subscriptions and names ---

Status MessageRouter::subscribe(ReceiverId receiver, std::string_view pattern, std::string_view group) {
  learn_unions();  // the table may give numbers of groups out again that ended
  Result<GroupId> joined = table_.subscribe(pattern, receiver, group);
  if (!joined.ok()) return std::move(joined).error();
  if (*joined != kNoGroup) dispatcher_.join_group(receiver, *joined, group, last_now_);
  return {};
}

bool MessageRouter::unsubscribe(ReceiverId receiver, std::string_view pattern, std::string_view group) {
  const std::optional<GroupId> left = table_.unsubscribe(pattern, receiver, group);
  if (!left) return false;
  if (*left == kNoGroup) return true;
  dispatcher_.leave_group(receiver, *left, last_now_);
  follow_groups(last_now_);
  drop_groups({*left}, last_now_);
  return true;
}

void MessageRouter::forget_receiver(ReceiverId receiver, MonotonicTime now) {
  last_now_ = now;
  drop_receiver(receiver);
  for (auto& [name, ids] : targets_) std::erase(ids, receiver);
  std::erase_if(targets_, [](const auto& entry) { return entry.second.empty(); });
  requests_.forget_asker(receiver);
  disown(receiver);
  const auto groups = dispatcher_.groups_of(receiver);
  const std::vector<GroupId> left(groups.begin(), groups.end());
  table_.remove_subscriber(receiver);  // first: what goes on meanwhile must not be routed to it any more
  dispatcher_.remove_receiver(receiver, now);
  follow_groups(now);
  drop_groups(left, now);
}

// --- unions of groups ---

void MessageRouter::learn_unions() {
  for (const GroupUnion& made : table_.take_unions())
    dispatcher_.unite(made.group, table_.group_name(made.group), made.parts);
}

// Not while the dispatcher is at work: groups end here.
void MessageRouter::follow_groups(MonotonicTime now) {
  learn_unions();
  for (const GroupMerger& merger : table_.take_mergers()) {
    for (auto& [id, sender] : parked_) {
      std::replace(sender.groups.begin(), sender.groups.end(), merger.from, merger.into);
      if (sender.waits_for.group == merger.from) sender.waits_for.group = merger.into;
    }
    dispatcher_.merge_groups(merger.from, merger.into, now);
  }
}

// A union is known to the dispatcher when its first event comes.
std::span<const ReceiverId> MessageRouter::members_of(GroupId group) {
  if (!dispatcher_.has_group(group)) learn_unions();
  return dispatcher_.group_members(group);
}

void MessageRouter::add_target(std::string_view name, ReceiverId receiver) {
  auto& ids = targets_[std::string(name)];
  if (std::find(ids.begin(), ids.end(), receiver) == ids.end()) ids.push_back(receiver);
}

// --- one event's way ---

PublishResult MessageRouter::publish(const Event& event, const Publisher& publisher, MonotonicTime now) {
  last_now_ = now;
  ++counters_.published;
  if (publisher.can_wait && is_parked(publisher.self)) {  // behind those that wait already, or the order would break
    park(event, publisher, now, nullptr);
    return {.parked = true};
  }
  // The scratch lists keep their memory from event to event.
  plain_scratch_.clear();
  group_scratch_.clear();
  Delivery delivery{plain_scratch_, group_scratch_};
  if (!resolve(event, publisher, delivery, now)) return delivery.result;
  serve(event, publisher, delivery, now);
  if (delivery.full) {
    park(event, publisher, now, &delivery);
    delivery.result.parked = is_parked(publisher.self);
  }
  return delivery.result;
}

void MessageRouter::fail(Delivery& delivery, const Event& event, DeadLetterReason reason, std::string_view receiver,
                         std::string_view detail) {
  delivery.result.failed = reason;
  ++counters_.dead_lettered;
  dead_letters_.dead_letter(event, reason, receiver, detail, 0);
}

bool MessageRouter::resolve(const Event& event, const Publisher& publisher, Delivery& delivery, MonotonicTime now) {
  const BaseMessageEnvelope& e = event.envelope;
  if (!e.correlationid.empty() && take_answer(event, publisher, delivery, now)) return false;
  if (has_expired(e, wall_now_)) {
    ++counters_.expired;
    fail(delivery, event, DeadLetterReason::expired, {}, "its expirytime had passed when it was published");
    if (!e.replyto.empty() && publisher.self != kNoReceiver)
      events_.request_timed_out({std::string(e.id), std::string(e.replyto), std::string(e.correlationid),
                                 Asker{publisher.self, 0}, now});
    return false;
  }
  if (!e.replyto.empty() && !enter_request(event, publisher, delivery, now)) return false;
  const bool found = !e.target.empty() && publisher.may_target ? find_target(event, delivery, now)
                                                               : find_subscribers(event, publisher, delivery, now);
  // Who is no receiver is told by the result, here and now. A worker waits for an answer or its tenon.timeout, and gets
  // the latter at the deadline: until then somebody who saw the dead letter may still answer.
  if (!found && !e.replyto.empty() && publisher.self == kNoReceiver) requests_.withdraw(e.id, e.replyto);
  return found;
}

// An event with a correlationid settles its sender's delivery of that id, and may be the answer to a request.
bool MessageRouter::take_answer(const Event& event, const Publisher& publisher, Delivery& delivery, MonotonicTime now) {
  const BaseMessageEnvelope& e = event.envelope;
  if (publisher.self != kNoReceiver) dispatcher_.settle(publisher.self, e.correlationid, now);
  PendingRequest request;
  switch (requests_.take(e.effective_topic(), e.correlationid, now, request)) {
    case RequestTable::Match::none: return false;
    case RequestTable::Match::late:
      fail(delivery, event, DeadLetterReason::late_reply, {},
           "the request was answered already, or its deadline had passed");
      return true;
    case RequestTable::Match::answer: break;
  }
  ++counters_.answers;
  show_observers(event, now);
  Event answer = event;
  // The asker knows its own correlationid, not the id that the answer refers to; without one of its own it gets that
  // id.
  if (!request.correlationid.empty()) {
    answer.envelope.correlationid = request.correlationid;
    answer.rewritten = true;
  }
  if (request.asker.receiver == kNoReceiver) {
    events_.answer_for(request.asker.token, answer);
    ++delivery.result.receivers;
    return true;
  }
  // Answers never wait for room: an asker that blocks on its answer could not be unblocked by anything else.
  const FullQueue asker{.receiver = request.asker.receiver};
  if (!take(dispatcher_.deliver(asker.receiver, answer, now), asker, answer, publisher, delivery))
    give_up_on(answer, asker);
  return true;
}

bool MessageRouter::enter_request(const Event& event, const Publisher& publisher, Delivery& delivery,
                                  MonotonicTime now) {
  const Status opened = open_request(event, publisher, now);
  if (opened.ok()) return true;
  DeadLetterReason reason = DeadLetterReason::duplicate_request;
  if (opened.error().code == errc::exhausted) reason = DeadLetterReason::request_limit;
  if (opened.error().code == errc::invalid_argument) reason = DeadLetterReason::too_large;
  fail(delivery, event, reason, {}, opened.error().message);
  if (publisher.events != nullptr) publisher.events->event_refused(event, reason, {}, opened.error().message);
  return false;
}

Status MessageRouter::open_request(const Event& event, const Publisher& publisher, MonotonicTime now) {
  if (publisher.self == kNoReceiver && !publisher.asker_token) return {};  // nobody to answer: an ordinary event
  const BaseMessageEnvelope& e = event.envelope;
  const MonotonicTime deadline = now + time_left(e, wall_now_, config_.request_timeout);
  return requests_.open({std::string(e.id), std::string(e.replyto), std::string(e.correlationid),
                         Asker{publisher.self, publisher.asker_token.value_or(0)}, deadline});
}

// Those whose subscriptions match an event that goes its way without subscriptions.
void MessageRouter::show_observers(const Event& event, MonotonicTime now) {
  if (dispatcher_.observers() == 0) return;
  const Matches* matches = table_.match(event.envelope.effective_topic());
  if (matches == nullptr) return;
  for (const ReceiverId id : matches->plain)
    if (dispatcher_.config(id).observer && dispatcher_.gate(id) < Gate::stopped)
      (void)dispatcher_.deliver(id, event, now);
}

bool MessageRouter::find_target(const Event& event, Delivery& delivery, MonotonicTime now) {
  const auto named = targets_.find(event.envelope.target);
  if (named == targets_.end() && deaf_targets_.contains(event.envelope.target)) {
    fail(delivery, event, DeadLetterReason::no_such_target, event.envelope.target,
         std::string(event.envelope.target) +
             " has no channel to get events by; give it one in the config (channel.kind)");
    return false;
  }
  if (named == targets_.end()) {
    fail(delivery, event, DeadLetterReason::no_such_target, event.envelope.target,
         "there is no process " + std::string(event.envelope.target) + "; `tenon ps` lists them");
    return false;
  }
  const auto least_busy = [this](ReceiverId a, ReceiverId b) {
    const auto rank = [this](ReceiverId id) {
      return std::pair(dispatcher_.gate(id), dispatcher_.in_flight(id) + dispatcher_.mailbox(id).size());
    };
    return rank(a) < rank(b);
  };
  show_observers(event, now);
  delivery.receivers.push_back(*std::min_element(named->second.begin(), named->second.end(), least_busy));
  return true;
}

bool MessageRouter::find_subscribers(const Event& event, const Publisher& publisher, Delivery& delivery,
                                     MonotonicTime now) {
  const std::string_view topic = event.envelope.effective_topic();
  const Matches* matches = table_.match(topic);
  if (matches != nullptr) {
    for (const ReceiverId id : matches->plain)
      if (id != publisher.self || publisher.echo) delivery.receivers.push_back(id);
    for (const GroupId id : matches->groups) {
      const auto members = members_of(id);
      const bool only_itself = members.size() == 1 && members.front() == publisher.self && !publisher.echo;
      if (!members.empty() && !only_itself) delivery.groups.push_back(id);
    }
  }
  if (!publisher.except.empty())
    std::erase_if(delivery.receivers, [&](ReceiverId id) {
      return std::find(publisher.except.begin(), publisher.except.end(), id) != publisher.except.end();
    });
  // Ended processes keep their subscriptions for the day they are started again; until then they are no receivers.
  // Observers get the event here and now, and then are none either.
  ReceiverId ended = kNoReceiver;
  std::erase_if(delivery.receivers, [&](ReceiverId id) {
    if (dispatcher_.gate(id) >= Gate::stopped) return ended = id, true;
    if (!dispatcher_.config(id).observer) return false;
    (void)dispatcher_.deliver(id, event, now);
    return true;
  });
  if (!delivery.receivers.empty() || !delivery.groups.empty()) return true;

  ++counters_.no_receiver;
  delivery.result.failed = DeadLetterReason::no_receiver;
  if (classify(topic) == MessageType::system) return false;  // the host's own events: only counted
  if (ended == kNoReceiver) {
    fail(delivery, event, DeadLetterReason::no_receiver, {}, "no subscription matches its topic");
  } else {
    const std::string& name = dispatcher_.config(ended).name;
    fail(delivery, event, DeadLetterReason::no_receiver, name,
         name + " subscribes to its topic, but has ended or was stopped; start it, then send the event again");
  }
  return false;
}

bool MessageRouter::take(Verdict verdict, FullQueue where, const Event& event, const Publisher& publisher,
                         Delivery& delivery) {
  switch (verdict) {
    case Verdict::delivered: ++counters_.delivered; break;
    case Verdict::queued: ++counters_.queued; break;
    case Verdict::dead_lettered: ++counters_.dead_lettered; return true;
    case Verdict::rejected: reject(where, event, publisher, delivery); return true;
    case Verdict::would_block: return false;
  }
  ++delivery.result.receivers;
  return true;
}

void MessageRouter::reject(FullQueue where, const Event& event, const Publisher& publisher, Delivery& delivery) {
  ++counters_.rejected;
  delivery.result.blocked = true;
  delivery.rejected = true;
  if (publisher.events == nullptr) return;
  const std::string_view receiver = name_of(where);
  publisher.events->event_refused(event, DeadLetterReason::rejected, receiver,
                                  "the mailbox of " + std::string(receiver) +
                                      " is full and rejects; send the event again later");
}

std::string_view MessageRouter::name_of(FullQueue full) const {
  return full.receiver != kNoReceiver ? std::string_view(dispatcher_.config(full.receiver).name)
                                      : dispatcher_.group_name(full.group);
}

void MessageRouter::give_up_on(const Event& event, FullQueue full, bool in_cycle) {
  ++counters_.dead_lettered;
  const bool budget_spent = !budget_.has_room(MessageRef::cost(event));
  if (!budget_spent && !in_cycle) dispatcher_.count_dropped(full);
  std::string_view why = "the receiver's mailbox stayed full; find out why it is slow, or raise mailbox.capacity";
  if (in_cycle) why = "its sender and the receiver wait for each other; give one of them another overflow rule";
  if (budget_spent) why = "limits.events is reached; raise it or find the slow receiver";
  dead_letters_.dead_letter(event, budget_spent ? DeadLetterReason::memory_limit : DeadLetterReason::blocked,
                            name_of(full), why, 0);
}

void MessageRouter::serve(const Event& event, const Publisher& publisher, Delivery& delivery, MonotonicTime now) {
  const ReceiverId sender = publisher.echo ? kNoReceiver : publisher.self;
  const MessageDispatcher::SharedCopy shared(dispatcher_, event);
  const auto stop_at = [&](FullQueue full) {
    const std::size_t cost = MessageRef::cost(event);
    if (!budget_.has_room(cost)) reach_limit(cost, now);
    // Room under limits.events may come from anybody, so waiting for that is no cycle.
    const bool in_cycle =
        !dispatcher_.mailbox_has_room(full, cost) && would_wait_for_itself(publisher.self, full);
    if (publisher.can_wait && !in_cycle) {
      delivery.full = full;
      return true;
    }
    give_up_on(event, full, publisher.can_wait);
    delivery.result.blocked = true;
    return false;
  };
  const auto give = [&](Verdict verdict, FullQueue where) {
    return take(verdict, where, event, publisher, delivery) || !stop_at(where);
  };
  const auto drop_front = [](auto& list, std::size_t count) {
    list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(count));
  };
  std::size_t done = 0;
  for (; done < delivery.groups.size(); ++done) {
    const GroupId id = delivery.groups[done];
    if (!give(dispatcher_.deliver_to_group(id, event, sender, now), {.group = id})) break;
  }
  drop_front(delivery.groups, done);
  if (delivery.full) return;
  for (done = 0; done < delivery.receivers.size(); ++done) {
    const ReceiverId id = delivery.receivers[done];
    if (!give(dispatcher_.deliver(id, event, now), {.receiver = id})) break;
  }
  drop_front(delivery.receivers, done);
  if (delivery.full || !delivery.rejected || delivery.result.receivers != 0) return;
  delivery.result.failed = DeadLetterReason::rejected;
  if (!event.envelope.replyto.empty()) requests_.withdraw(event.envelope.id, event.envelope.replyto);
}

// --- time ---

void MessageRouter::set_wall_time(WallTime now) noexcept {
  wall_now_ = now;
  dispatcher_.set_wall_time(now);
}

std::optional<MonotonicTime> MessageRouter::next_deadline() const noexcept {
  std::optional<MonotonicTime> next = dispatcher_.next_deadline();
  const auto consider = [&](std::optional<MonotonicTime> when) {
    if (when && (!next || *when < *next)) next = when;
  };
  consider(requests_.next_deadline());
  consider(limit_reached_);
  for (const auto& [id, sender] : parked_) {
    if (sender.events.empty()) continue;
    // limits.events may have room again without the queue having told: nothing left that queue.
    const bool has_room = dispatcher_.has_room(sender.waits_for, sender.head_cost);
    consider(has_room ? last_now_ : sender.events.front().deadline);
  }
  return next;
}

void MessageRouter::on_time(MonotonicTime now, WallTime wall_now) {
  last_now_ = now;
  set_wall_time(wall_now);
  dispatcher_.on_time(now);
  requests_.expire(now, [this](const PendingRequest& request) { events_.request_timed_out(request); });
  look_at_limit(now);
  std::vector<ReceiverId> due;
  for (auto& [id, sender] : parked_) {
    if (sender.events.empty()) continue;
    if (sender.events.front().deadline <= now || dispatcher_.has_room(sender.waits_for, sender.head_cost))
      due.push_back(id);
  }
  for (const ReceiverId id : due) {
    resume(id, now);
    give_up_overdue(id, now);
  }
}

void MessageRouter::reach_limit(std::size_t cost, MonotonicTime now) {
  kept_out_ = cost;
  if (limit_reached_) return;
  limit_reached_ = now + kLookAtLimitEvery;
  events_.event_limit_reached(true);
}

// An eighth of it free: the word is not taken back and given again with every event.
void MessageRouter::look_at_limit(MonotonicTime now) {
  if (!limit_reached_ || *limit_reached_ > now) return;
  if (budget_.used() > budget_.limit() / 8 * 7 || !budget_.has_room(kept_out_)) {
    limit_reached_ = now + kLookAtLimitEvery;
    return;
  }
  limit_reached_.reset();
  events_.event_limit_reached(false);
}

bool MessageRouter::quiet() const noexcept {
  const bool parked =
      std::any_of(parked_.begin(), parked_.end(), [](const auto& entry) { return !entry.second.events.empty(); });
  return !parked && requests_.pending() == 0 && dispatcher_.quiet();
}

}  // namespace tenon::message
