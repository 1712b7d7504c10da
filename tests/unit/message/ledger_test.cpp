// A model of router and dispatcher: random operations, and a ledger of what became of every event for every receiver.
//
// For each event, each plain subscriber and each group that it was published to counts one debt. A debt is paid by a
// delivery that was settled, or by a dead letter. None is ever paid twice, which is looked at after each operation; at
// the end, with everybody awake, all are paid. One thing the rules allow: an at_most_once delivery may be lost with its
// receiver (it counted as settled when it was written), and nothing else.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "common/ids.hpp"
#include "message/topic.hpp"
#include "support/long_runs.hpp"
#include "unit/message/rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;

class Ledger : public testing::TestWithParam<std::uint64_t>, public RouterEvents, public DeadLetterSink {
 protected:
  // Keeps what it took until the test says that it was written.
  struct Worker : Outlet {
    Offer offer(const Event& e, std::uint32_t attempt) override {
      EXPECT_FALSE(closed) << "an outlet that said so is not called again";
      if (closes) {
        closed = true;
        return {OfferResult::closed};
      }
      if (room == 0) return {OfferResult::full};
      --room;
      if (refuses) return {OfferResult::untranslatable, 0, "as told"};
      taken.push_back({std::string(e.envelope.id), position += 10});
      last_attempt[std::string(e.envelope.id)] = attempt;
      return {OfferResult::taken, position};
    }
    ReceiverId id = kNoReceiver;
    std::string name;
    bool at_least_once = false, attached = true, refuses = false, closes = false, closed = false;
    std::size_t room = 1000;
    std::uint64_t position = 0;
    std::uint64_t read_to = 0;  // of at_least_once: what it wrote or answered to has left the host
    std::vector<std::pair<std::string, std::uint64_t>> taken;
    std::map<std::string, std::uint32_t> last_attempt;
    std::set<std::pair<std::string, std::string>> subscriptions;
    Gate gate = Gate::open;
  };

  void dead_letter(const Event& e, DeadLetterReason reason, std::string_view, std::string_view,
                   const Attempts& attempts) override {
    settle(std::string(e.envelope.id));
    if (reason == DeadLetterReason::attempts_exhausted) {
      EXPECT_EQ(attempts.count, 3u);
    }
  }
  void answer_for(std::uint64_t, const Event&) override {}
  void request_timed_out(const PendingRequest&) override {}
  void sender_released(ReceiverId sender) override { released_.insert(sender); }
  void event_limit_reached(bool) override {}

  Worker& any() { return *workers_[random_.below(workers_.size())]; }
  MessageDispatcher& dispatcher() { return router_.dispatcher(); }
  void settle(const std::string& id) {
    ++paid_[id];
    just_paid_.push_back(id);
  }
  void expect_nothing_paid_twice() {
    for (const std::string& id : just_paid_) {
      const auto debt = debts_.find(id);
      if (debt != debts_.end()) {
        ASSERT_LE(paid_[id], debt->second) << id << " of seed " << GetParam();
      }
    }
    just_paid_.clear();
  }

  void add_worker() {
    auto worker = std::make_unique<Worker>();
    worker->name = "w" + std::to_string(workers_.size());
    worker->at_least_once = random_.below(2) == 0;
    const MailboxConfig mailbox{.capacity = 1 + random_.below(6), .overflow = static_cast<Overflow>(random_.below(4))};
    const auto in_flight = 1 + static_cast<std::uint32_t>(random_.below(4));
    const DeliveryConfig delivery = worker->at_least_once ? at_least_once(in_flight, 3) : DeliveryConfig{};
    worker->id = dispatcher().add_receiver({worker->name, mailbox, delivery});
    dispatcher().attach(worker->id, *worker);
    dispatcher().set_gate(worker->id, Gate::open, now_);
    workers_.push_back(std::move(worker));
  }

  // What the rules say about who gets it, computed without the routing table.
  std::size_t debts_of(std::string_view topic, const Worker* sender) {
    std::size_t debts = 0;
    for (const auto& worker : workers_) {
      const bool plain = std::any_of(worker->subscriptions.begin(), worker->subscriptions.end(), [&](const auto& s) {
        return s.second.empty() && pattern_matches(s.first, topic);
      });
      if (plain && worker.get() != sender && worker->gate < Gate::stopped) ++debts;
    }
    std::set<std::string> groups;  // once a name, whatever its patterns and members
    for (const auto& worker : workers_)
      for (const auto& [pattern, group] : worker->subscriptions)
        if (!group.empty() && worker.get() != sender && pattern_matches(pattern, topic)) groups.insert(group);
    debts += groups.size();
    return std::max<std::size_t>(debts, 1);  // nobody: one dead letter
  }

  void publish() {
    Worker& sender = any();
    const bool anonymous = random_.below(3) == 0;
    const std::string id = "e" + std::to_string(++published_);
    const std::string topic = std::string(1, static_cast<char>('a' + random_.below(3)));
    const bool waits = !anonymous && random_.below(2) == 0;
    const Publisher publisher{.name = "p", .self = anonymous ? kNoReceiver : sender.id, .can_wait = waits};
    const PublishResult result = router_.publish(
        event(Fields{.id = id, .topic = topic, .priority = static_cast<std::uint8_t>(1 + random_.below(10))}),
        publisher, now_);
    // A parked event is routed when its turn comes, so its debts are known only if nothing it depends on changes: such
    // events are checked for being paid at all.
    if (result.parked) loosely_.insert(id);
    else debts_[id] = debts_of(topic, anonymous ? nullptr : &sender);
  }

  void write(Worker& w, std::size_t count) {
    count = std::min(count, w.taken.size());
    if (count == 0) return;
    const std::uint64_t position = w.taken[count - 1].second;
    w.read_to = std::max(w.read_to, position);
    if (!w.at_least_once) {
      for (std::size_t i = 0; i < count; ++i) settle(w.taken[i].first);
      w.taken.erase(w.taken.begin(), w.taken.begin() + static_cast<std::ptrdiff_t>(count));
    }
    dispatcher().written_up_to(w.id, position, now_);
  }

  void acknowledge(Worker& w) {
    if (w.taken.empty()) return;
    const std::size_t which = random_.below(w.taken.size());
    const std::string id = w.taken[which].first;
    w.read_to = std::max(w.read_to, w.taken[which].second);
    w.taken.erase(w.taken.begin() + static_cast<std::ptrdiff_t>(which));
    if (!w.at_least_once) return settle(id), dispatcher().written_up_to(w.id, w.position, now_), settle_rest(w);
    if (dispatcher().settle(w.id, id, now_)) settle(id);
  }
  void settle_rest(Worker& w) {
    for (const auto& [id, position] : w.taken) settle(id);
    w.taken.clear();
  }

  // Groups alone: what waits for a plain subscriber is its own whether it still subscribes or not.
  void change_groups(Worker& w) {
    const std::string pattern = any_pattern(), group = "g" + std::to_string(random_.below(2));
    if (w.subscriptions.erase({pattern, group}) != 0) {
      EXPECT_TRUE(router_.unsubscribe(w.id, pattern, group));
    } else {
      EXPECT_TRUE(router_.subscribe(w.id, pattern, group).ok());
      w.subscriptions.insert({pattern, group});
    }
  }
  std::string any_pattern() {
    const std::uint64_t which = random_.below(8);
    return which < 2 ? ">" : which < 3 ? "*" : std::string(1, static_cast<char>('a' + random_.below(3)));
  }

  void crash(Worker& w) {
    if (!w.attached) return;
    dispatcher().set_gate(w.id, Gate::waiting, now_);
    w.gate = Gate::waiting;
    // The last few were not written at all.
    const auto unread = std::count_if(w.taken.begin(), w.taken.end(), [&](const auto& t) { return t.second > w.read_to; });
    const std::size_t most = w.at_least_once ? static_cast<std::size_t>(unread) : w.taken.size();
    const std::size_t count = random_.below(most + 1);
    std::vector<MessageRef> unsent;
    for (std::size_t i = w.taken.size() - count; i < w.taken.size(); ++i)
      unsent.push_back(MessageRef::copy(event(w.taken[i].first, "returned"), budget_));
    if (!w.at_least_once) {
      w.taken.resize(w.taken.size() - count);
      settle_rest(w);
    }
    w.taken.clear();
    w.attached = false;
    dispatcher().detach(w.id, unsent, now_);
  }

  void start(Worker& w) {
    if (!w.attached) {
      w.attached = true;
      w.closes = w.closed = false;
      w.room = random_.below(8);
      dispatcher().attach(w.id, w);
    }
    w.gate = Gate::open;
    dispatcher().set_gate(w.id, Gate::open, now_);
  }

  void step() {
    Worker& w = any();
    switch (random_.below(16)) {
      case 0: case 1: case 2: case 3: case 4: return publish();
      case 5: return write(w, 1 + random_.below(4));
      case 6: case 7: return acknowledge(w);
      case 8:
        w.room = random_.below(4);
        return w.attached ? dispatcher().outlet_has_room(w.id, now_) : void();
      case 9: return random_.below(4) == 0 ? crash(w) : start(w);
      case 10:
        if (!w.attached || random_.below(4) != 0) return;
        w.gate = static_cast<Gate>(static_cast<int>(Gate::waiting) + random_.below(3));
        return dispatcher().set_gate(w.id, w.gate, now_);
      case 11:
        now_ += std::chrono::seconds(random_.below(20));
        // What times out comes again: the worker forgets that it had it.
        return router_.on_time(now_, kWallStart);
      case 12:
        w.refuses = random_.below(4) == 0;
        return;
      case 13:
        if (random_.below(4) == 0) change_groups(w);
        return;
      case 14:
        if (random_.below(8) == 0) w.closes = true;
        return;
      default: break;
    }
    if (w.at_least_once && !w.taken.empty() && random_.below(2) == 0) {
      const auto& [id, position] = w.taken[random_.below(w.taken.size())];
      w.read_to = std::max(w.read_to, position);
      dispatcher().refuse(w.id, id, now_);
    }
  }

  // Everybody is awake, has room and acknowledges, until nothing is left.
  void finish() {
    for (int round = 0; round < 10'000 && !router_.quiet(); ++round) {
      for (const auto& w : workers_) {
        w->refuses = false;
        w->room = 1000;
        if (w->closes) crash(*w);
        start(*w);
        dispatcher().outlet_has_room(w->id, now_);
        if (!w->at_least_once) {
          write(*w, w->taken.size());
          continue;
        }
        std::vector<std::pair<std::string, std::uint64_t>> taken;
        taken.swap(w->taken);
        for (const auto& [id, position] : taken)
          if (dispatcher().settle(w->id, id, now_)) settle(id);
      }
      now_ += 10s;
      router_.on_time(now_, kWallStart);
    }
  }

  Random random_{GetParam()};
  MonotonicTime now_ = kStart;
  EventBudget budget_{random_.below(3) == 0 ? 20'000u : 1u << 20};
  std::vector<std::unique_ptr<Worker>> workers_;
  MessageRouter router_{budget_, *this, *this};
  std::map<std::string, std::size_t> debts_, paid_;
  std::vector<std::string> just_paid_;
  std::set<std::string> loosely_;
  std::set<ReceiverId> released_;
  std::size_t published_ = 0;
};

TEST_P(Ledger, BalancesForEveryEvent) {
  for (int i = 0; i < 6; ++i) add_worker();
  for (const auto& w : workers_) {
    const std::uint64_t count = 1 + random_.below(3);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string pattern = any_pattern();
      const std::string group = random_.below(2) == 0 ? "" : "g" + std::to_string(random_.below(2));
      ASSERT_TRUE(router_.subscribe(w->id, pattern, group).ok());
      w->subscriptions.insert({pattern, group});
    }
  }
  for (int i = 0; i < 3000 && !HasFatalFailure(); ++i) {
    step();
    expect_nothing_paid_twice();
  }
  finish();
  ASSERT_TRUE(router_.quiet());
  EXPECT_EQ(budget_.used(), 0u);
  for (const auto& [id, debts] : debts_) EXPECT_EQ(paid_[id], debts) << id << " of seed " << GetParam();
  for (const std::string& id : loosely_) EXPECT_GE(paid_[id], 1u) << id << " of seed " << GetParam();
  const RouterCounters& counters = router_.counters();
  EXPECT_EQ(counters.published, published_);
  EXPECT_GT(counters.queued, 0u);
  EXPECT_GT(debts_.size(), 500u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Ledger,
                         testing::Range<std::uint64_t>(1, test_support::rounds<std::uint64_t>(41, 401)));

}  // namespace
}  // namespace tenon::message
