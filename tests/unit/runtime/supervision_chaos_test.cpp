// Random deaths, verbs, reloads and engine crashes against a small model of what must hold at every quiet moment.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "common/ids.hpp"
#include "support/long_runs.hpp"
#include "unit/runtime/fakes.hpp"

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using test::nested;
using test::process;
using test::root_of;
using test::World;

enum class Wish { up, down, paused };

struct Chaos : World {
  explicit Chaos(std::uint64_t seed) : random(seed) {
    keeper.ignores_term = {"stubborn", "i2"};
    checks.automatic = HealthStatus{};
    checks.by_name["up"] = HealthStatus{};
    set_gate(true);
    start(config());
    for (const auto* each : manager->list()) ids.push_back(each->id()), wishes[each->id()] = Wish::up;
  }

  std::shared_ptr<ProcessConfig> versioned(std::string id, std::vector<std::string> depends_on = {}) {
    auto made = process(std::move(id), std::move(depends_on));
    made->start_digest = digests[made->id];
    return made;
  }
  // As a reload would find it now: digests as they stand, "extra" there or not.
  SupervisorConfig config() {
    auto broker = versioned("broker");
    broker->ready = {ReadyOn::event, 10s};
    auto slow = versioned("slow");
    slow->health.push_back({"http"});
    auto served = versioned("served");
    served->health = {{.check = "up", .role = HealthRole::startup}, {.check = "gate", .role = HealthRole::readiness}};
    auto inner = nested("inner", {versioned("i1"), versioned("i2")}, Strategy::rest_for_one);
    if (!i3_is_away) inner->children.push_back(versioned("i3"));
    auto group = nested("group", {versioned("g1"), inner, versioned("g2")}, group_strategy);
    auto root = root_of({broker, versioned("stubborn", {"broker"}), slow, served, group, versioned("free")});
    if (has_extra) root.children.insert(root.children.begin(), versioned("extra", {"free"}));
    if (i3_is_away) root.children.push_back(versioned("i3"));
    root.intensity = {3, 10s};
    return root;
  }

  // Changes one process, lets another come or go, a third move, and a supervisor have another strategy. What is refused
  // (a removed one still ends) changes nothing.
  void reload(const std::string& id) {
    const auto digests_before = digests;
    const bool extra_before = has_extra, away_before = i3_is_away;
    const Strategy strategy_before = group_strategy;
    ++digests[id];
    has_extra = random.below(2) == 0;
    i3_is_away = random.below(3) == 0;
    group_strategy = static_cast<Strategy>(random.below(3));
    auto fresh = config();
    const Status begun = tree->reload(fresh, {}, {});
    if (!begun.ok()) {
      digests = digests_before, has_extra = extra_before;
      i3_is_away = away_before, group_strategy = strategy_before;
      return;
    }
    loaded_config = std::move(fresh);
    ids.erase(std::remove(ids.begin(), ids.end(), "extra"), ids.end());
    if (has_extra) ids.push_back("extra");
    if (has_extra != extra_before) wishes["extra"] = Wish::up;
  }

  void step() {
    const std::string& id = ids[random.below(ids.size())];
    switch (random.below(17)) {
      case 0:
      case 1:
      case 2:
        if (keeper.runs(id)) keeper.exit(id, {static_cast<int>(random.below(3)), 0});
        break;
      case 3:
        if (keeper.runs(id)) keeper.exit(id, {0, SIGKILL});
        break;
      case 4: verb(Verb::stop, id), wishes[id] = Wish::down; break;
      case 5:
        if (wishes[id] != Wish::paused) verb(Verb::start, id), wishes[id] = Wish::up;
        break;
      case 6: verb(Verb::restart, id), wishes[id] = Wish::up; break;
      case 7: pause(id); break;
      case 8:
        if (wishes[id] == Wish::paused) verb(Verb::resume, id), wishes[id] = Wish::up;
        break;
      case 9: manager->notify_ready("broker", (*this)["broker"].generation); break;
      case 10: loop.advance(random.below(8000) * 1ms); break;
      case 11: end_strangers(crash(random.below(5000) * 1ms)); break;
      case 12:
        end_strangers(crash(random.below(5000) * 1ms, [&] {
          if (keeper.runs(id)) keeper.exit(id, {1, 0});
        }));
        break;
      case 13: reload(id); break;
      case 14:
        if (random.below(4) != 0) break;
        tree->apply(Verb::restart, ids, 0, {});
        for (auto& [each, wish] : wishes) wish = Wish::up;
        break;
      case 15: set_gate(random.below(2) == 0); break;
      default: turn();
    }
  }

  // As the host does with what an earlier configuration left.
  void end_strangers(const std::vector<std::string>& strangers) {
    for (const std::string& id : strangers) {
      if (keeper.runs(id)) keeper.exit(id, {0, SIGKILL});
      else if (keeper.children.contains(id)) manager->on_exited(id, keeper.generation(id), {}, 1s, {});
    }
  }

  void verb(Verb what, const std::string& id) { tree->apply(what, {id}, 0, {}); }

  void set_gate(bool open) {
    checks.by_name["gate"] = open ? HealthStatus{} : HealthStatus{HealthState::unhealthy, "shut"};
  }

  void pause(const std::string& id) {
    Answer answer;
    manager->pause(id, answer.take());
    if (answer.ok()) wishes[id] = Wish::paused;
  }

  // Long enough for every grace, delay and kill bound; the broker is made ready as often as it starts.
  void quiet() {
    for (int i = 0; i < 60; ++i) {
      manager->notify_ready("broker", (*this)["broker"].generation);
      loop.advance(1s);
    }
  }

  // Where nothing is under way, an engine's death changes nothing.
  void expect_to_outlive_the_engine() {
    const auto before = runs();
    end_strangers(crash());
    quiet();
    EXPECT_EQ(runs(), before);
  }
  std::map<std::string, std::uint64_t> runs() const {
    std::map<std::string, std::uint64_t> generations;
    for (const std::string& id : ids) generations[id] = keeper.runs(id) ? keeper.generation(id) : 0;
    return generations;
  }

  void expect_model(std::uint64_t seed, int round) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, "seed " + std::to_string(seed) + " round " +
                                                             std::to_string(round));
    std::size_t counted = 0;
    for (std::uint8_t status = 0; status < 7; ++status) counted += manager->count(ProcessStatus{status});
    EXPECT_EQ(counted, ids.size());
    EXPECT_EQ(manager->size(), ids.size()) << "what was removed is forgotten";
    for (const std::string& id : ids) {
      const ProcessHandle& handle = (*this)[id];
      const std::string what = id + " is " + std::string(to_string(handle.status)) + ": " + handle.reason;
      EXPECT_EQ(handle.pid.has_value(), keeper.runs(id)) << what;
      EXPECT_EQ(handle.status, status_of(handle.phase, handle.paused(), handle.not_ready.empty(), handle.in_flight))
          << what;
      if (keeper.runs(id)) {
        EXPECT_EQ(handle.generation, keeper.generation(id)) << what;
        EXPECT_EQ(keeper.frozen(id), handle.status == ProcessStatus::paused) << what;
        EXPECT_EQ(manager->outdated(id), manager->passed_over(id)) << what;
      }
      switch (wishes[id]) {
        case Wish::down: EXPECT_TRUE(is_ended(handle.phase)) << what; break;
        case Wish::paused:
          EXPECT_TRUE(handle.status == ProcessStatus::paused || handle.status == ProcessStatus::error) << what;
          break;
        case Wish::up:
          EXPECT_TRUE(handle.status == ProcessStatus::idle || handle.status == ProcessStatus::error ||
                      (handle.status == ProcessStatus::initializing && handle.reason.starts_with("waiting for ")) ||
                      is_shut_out(handle))
              << what;
          EXPECT_EQ(is_shut_out(handle), handle.pid && id == "served" && checks.by_name["gate"] != HealthStatus{})
              << what << handle.not_ready;
          break;
      }
      // What failed for good is not wished for any more until the operator starts it.
      if (handle.status == ProcessStatus::error) wishes[id] = Wish::up;
    }
  }

  static bool is_shut_out(const ProcessHandle& handle) {
    return handle.status == ProcessStatus::initializing && handle.not_ready == "not ready: gate: shut";
  }

  Random random;
  bool has_extra = false, i3_is_away = false;
  Strategy group_strategy = Strategy::one_for_all;
  std::map<std::string, std::uint64_t> digests;
  std::vector<std::string> ids;
  std::map<std::string, Wish> wishes;
};

TEST(SupervisionChaos, TheTreeIsRightAtEveryQuietMoment) {
  const auto seeds = test_support::rounds<std::uint64_t>(60, 1200);
  for (std::uint64_t seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    Chaos chaos(seed);
    for (int round = 0; round < 10 && !testing::Test::HasFailure(); ++round) {
      for (int i = 0; i < 40; ++i) chaos.step();
      chaos.quiet();
      chaos.expect_model(seed, round);
      if (round % 3 == 2) chaos.expect_to_outlive_the_engine();
    }
    bool stopped = false;
    chaos.tree->stop_all(5s, [&](Status status) { stopped = status.ok(); });
    chaos.advance(20s);
    EXPECT_TRUE(stopped) << "seed " << seed;
    EXPECT_EQ(chaos.manager->count(ProcessStatus::terminated) + chaos.manager->count(ProcessStatus::error),
              chaos.ids.size());
  }
}

}  // namespace
}  // namespace tenon::runtime
