// What must hold for events on their way, whatever happens around them: subjects match as their rules say, a mailbox
// gives out what a plain list would, and order holds per (sender, topic, priority) to one receiver.
#include <gtest/gtest.h>

#include <list>
#include <map>
#include <memory>
#include <optional>

#include <rapidcheck/gtest.h>

#include "message/mailbox.hpp"
#include "message/router.hpp"
#include "message/topic.hpp"
#include "unit/message/rig.hpp"

namespace tenon::property {
namespace {

using namespace message;
using namespace message::rig;

// --- subjects ---

using Tokens = std::vector<std::string>;

rc::Gen<Tokens> tokens(std::vector<std::string> alphabet) {
  return rc::gen::nonEmpty(rc::gen::resize(6, rc::gen::container<Tokens>(rc::gen::elementOf(std::move(alphabet)))));
}
std::string joined(const Tokens& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += (text.empty() ? "" : ".") + token;
  return text;
}
// The rules, word for word.
bool matches(const Tokens& pattern, const Tokens& topic) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == ">") return topic.size() > i;
    if (i >= topic.size() || (pattern[i] != "*" && pattern[i] != topic[i])) return false;
  }
  return pattern.size() == topic.size();
}

RC_GTEST_PROP(Subjects, MatchAsTheRulesSay, ()) {
  const Tokens topic = *tokens({"a", "b", "cc"});
  Tokens pattern = *tokens({"a", "b", "cc", "*"});
  if (*rc::gen::arbitrary<bool>()) pattern.push_back(">");
  RC_CLASSIFY(matches(pattern, topic), "matches");
  RC_ASSERT(is_valid_topic(joined(topic)));
  RC_ASSERT(is_valid_pattern(joined(pattern)));
  RC_ASSERT(pattern_matches(joined(pattern), joined(topic)) == matches(pattern, topic));
}

RC_GTEST_PROP(Subjects, ATopicIsAPatternThatMatchesItselfAlone, ()) {
  const Tokens topic = *tokens({"a", "b", "cc"}), other = *tokens({"a", "b", "cc"});
  RC_ASSERT(pattern_matches(joined(topic), joined(other)) == (topic == other));
}

RC_GTEST_PROP(Subjects, WhatIsNoSubjectIsRefusedWithASentence, (const std::string& text)) {
  RC_ASSERT(is_valid_topic(text) == check_topic(text).ok());
  RC_ASSERT(is_valid_pattern(text) == check_pattern(text).ok());
  RC_ASSERT(!is_valid_topic(text) || is_valid_pattern(text));
  if (const Status status = check_pattern(text); !status.ok()) RC_ASSERT(!status.error().message.empty());
}

// --- mailbox ---

// A list that is searched: the returned ones first, then whoever has the smallest rank; of one priority the oldest.
struct Listed {
  std::string id;
  int priority;
  MonotonicTime since;
  bool returned;
  std::size_t bytes;
};

std::optional<MonotonicTime> smallest_rank(const std::list<Listed>& list) {
  std::optional<MonotonicTime> least;
  for (const Listed& entry : list) {
    const MonotonicTime rank = entry.since + entry.priority * Mailbox::kAgeingStep;
    if (!least || rank < *least) least = rank;
  }
  return least;
}

RC_GTEST_PROP(MailboxModel, GivesOutWhatASearchedListWould, ()) {
  EventBudget budget(64 << 20);
  Mailbox mailbox;
  std::list<Listed> list;
  MonotonicTime now = kStart;
  std::size_t count = 0;
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 10));
  for (const int step : steps) {
    if (step < 5) {
      now += std::chrono::milliseconds(*rc::gen::inRange(0, 3000));
      const int priority = *rc::gen::inRange(1, 11);
      const std::string id = "e" + std::to_string(++count);
      const Fields fields{.id = id, .priority = static_cast<std::uint8_t>(priority)};
      MessageRef copy = MessageRef::copy(event(fields), budget);
      list.push_back({id, priority, now, false, copy.size()});
      mailbox.push(Waiting{std::move(copy), now});
    } else if (!list.empty()) {
      Waiting taken = step == 9 ? mailbox.pop_oldest() : mailbox.pop_front();
      const std::string id(taken.message.event().envelope.id);
      const auto at = std::find_if(list.begin(), list.end(), [&](const Listed& entry) { return entry.id == id; });
      RC_ASSERT(at != list.end());
      const bool any_returned = list.front().returned;
      if (step == 9) {
        for (const Listed& entry : list) RC_ASSERT(any_returned || entry.since >= at->since);
      } else if (any_returned) {
        RC_ASSERT(at == list.begin());
      } else {
        RC_ASSERT(at->since + at->priority * Mailbox::kAgeingStep == *smallest_rank(list));
        for (auto before = list.begin(); before != at; ++before) RC_ASSERT(before->priority != at->priority);
      }
      const Listed entry = *at;
      list.erase(at);
      if (step == 8) {  // its receiver died: it comes back before all others
        list.push_front({entry.id, entry.priority, entry.since, true, entry.bytes});
        mailbox.push_returned(std::move(taken));
      }
    }
    std::size_t bytes = 0;
    for (const Listed& entry : list) bytes += entry.bytes;
    RC_ASSERT(mailbox.size() == list.size());
    RC_ASSERT(mailbox.bytes() == bytes);
    RC_ASSERT(budget.used() == bytes);
    RC_ASSERT((mailbox.front() == nullptr) == list.empty());
  }
}

// --- order ---

// Two receivers that have room or not, restart, and lose their last unwritten events to the queue; three senders that
// may have to wait. Nothing that the test does may turn the events of one (sender, topic, priority) around.
class World : private RouterEvents, private DeadLetterSink {
 public:
  World(Overflow overflow, std::size_t capacity, std::size_t limit) : budget_(limit), router_(budget_, *this, *this) {
    for (int i = 0; i < kSenders; ++i) senders_.push_back(add(sender_outlet_, {}, "s" + std::to_string(i)));
    for (auto& outlet : outlets_) {
      MailboxConfig mailbox;
      mailbox.capacity = capacity;
      mailbox.overflow = overflow;
      receivers_.push_back(add(outlet, mailbox, "r" + std::to_string(receivers_.size())));
      RC_ASSERT(router_.subscribe(receivers_.back(), ">").ok());
    }
  }

  void publish(int sender, char topic, int priority) {
    const std::string stream = std::to_string(sender) + topic + std::to_string(priority);
    const std::string id = stream + "#" + std::to_string(++numbers_[stream]);
    const Publisher publisher{.name = "s", .self = senders_[static_cast<std::size_t>(sender)], .can_wait = true};
    const std::string subject(1, topic);
    const Fields fields{.id = id, .topic = subject, .priority = static_cast<std::uint8_t>(priority)};
    router_.publish(event(fields), publisher, now_);
  }
  void give_room(int which, std::size_t room) {
    outlets_[which].room = room;
    router_.dispatcher().outlet_has_room(receivers_[static_cast<std::size_t>(which)], now_);
  }
  void write(int which) {
    router_.dispatcher().written_up_to(receivers_[static_cast<std::size_t>(which)], outlets_[which].position, now_);
    unwritten_[which] = outlets_[which].ids.size();
  }
  // The octets of the last `count` events were not written at all: they return, and come again first.
  void restart(int which, std::size_t count) {
    FakeOutlet& outlet = outlets_[which];
    count = std::min(count, outlet.ids.size() - unwritten_[which]);
    std::vector<MessageRef> unsent;
    for (std::size_t i = outlet.ids.size() - count; i < outlet.ids.size(); ++i)
      unsent.push_back(copy_of(outlet.ids[i]));
    outlet.ids.resize(outlet.ids.size() - count);
    unwritten_[which] = outlet.ids.size();
    const ReceiverId id = receivers_[static_cast<std::size_t>(which)];
    router_.dispatcher().set_gate(id, Gate::waiting, now_);
    router_.dispatcher().detach(id, unsent, now_);
    router_.dispatcher().attach(id, outlet);
    router_.dispatcher().set_gate(id, Gate::open, now_);
  }
  void pass(Duration time) {
    now_ += time;
    router_.on_time(now_, kWallStart);
  }
  void finish() {
    for (int round = 0; round < 1000 && !router_.quiet(); ++round) {
      for (int i = 0; i < kReceivers; ++i) give_room(i, 1000), write(i);
      pass(std::chrono::seconds(1));
    }
    RC_ASSERT(router_.quiet());
    RC_ASSERT(budget_.used() == 0u);
  }
  // Of each stream, every receiver got rising numbers; what is missing was dead-lettered.
  void check_order() const {
    std::size_t published = 0;
    for (const auto& [stream, last] : numbers_) published += static_cast<std::size_t>(last);
    std::size_t got = 0;
    for (const FakeOutlet& outlet : outlets_) {
      std::map<std::string, int> last;
      for (const std::string& id : outlet.ids) {
        const std::size_t mark = id.find('#');
        const int number = std::stoi(id.substr(mark + 1));
        int& before = last[id.substr(0, mark)];
        RC_ASSERT(number > before);
        before = number;
      }
      got += outlet.ids.size();
    }
    RC_ASSERT(got + dead_ == published * kReceivers);
  }

  static constexpr int kSenders = 3, kReceivers = 2;

 private:
  ReceiverId add(Outlet& outlet, const MailboxConfig& mailbox, const std::string& name) {
    const ReceiverId id = router_.dispatcher().add_receiver({name, mailbox, {}});
    router_.dispatcher().attach(id, outlet);
    router_.dispatcher().set_gate(id, Gate::open, now_);
    return id;
  }
  MessageRef copy_of(const std::string& id) {
    const std::string digits = id.substr(2, id.find('#') - 2);
    return MessageRef::copy(event(Fields{.id = id, .topic = id.substr(1, 1),
                                         .priority = static_cast<std::uint8_t>(std::stoi(digits))}), budget_);
  }
  void answer_for(std::uint64_t, const Event&) override {}
  void request_timed_out(const PendingRequest&) override {}
  void sender_released(ReceiverId) override {}
  void event_limit_reached(bool) override {}
  void dead_letter(const Event&, DeadLetterReason, std::string_view, std::string_view,
                   const Attempts&) override {
    ++dead_;
  }

  EventBudget budget_;
  MonotonicTime now_ = kStart;
  FakeOutlet sender_outlet_, outlets_[kReceivers];
  std::size_t unwritten_[kReceivers] = {};  // from where on events may not have been written
  std::vector<ReceiverId> senders_, receivers_;
  MessageRouter router_;
  std::map<std::string, int> numbers_;
  std::size_t dead_ = 0;
};

RC_GTEST_PROP(Order, HoldsPerSenderTopicAndPriorityAndNothingIsLost, ()) {
  const auto overflow =
      *rc::gen::element(Overflow::dead_letter, Overflow::drop_oldest, Overflow::reject, Overflow::block);
  World world(overflow, *rc::gen::inRange<std::size_t>(1, 8), *rc::gen::element<std::size_t>(4'000, 1 << 20));
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 12));
  for (const int step : steps) {
    const int which = *rc::gen::inRange(0, World::kReceivers);
    if (step < 7) {
      world.publish(*rc::gen::inRange(0, World::kSenders), *rc::gen::element('a', 'b'), *rc::gen::element(1, 5, 10));
    } else if (step < 9) {
      world.give_room(which, *rc::gen::inRange<std::size_t>(0, 4));
    } else if (step == 9) {
      world.write(which);
    } else if (step == 10) {
      world.restart(which, *rc::gen::inRange<std::size_t>(0, 3));
    } else {
      world.pass(std::chrono::milliseconds(*rc::gen::inRange(0, 8000)));
    }
  }
  world.finish();
  world.check_order();
}

}  // namespace
}  // namespace tenon::property
