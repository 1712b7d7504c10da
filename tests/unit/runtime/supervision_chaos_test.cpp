// Random deaths, verbs and engine crashes against a small model of what must hold at every quiet moment.
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
    auto broker = process("broker");
    broker->ready = {ReadyOn::event, 10s};
    auto stubborn = process("stubborn", {"broker"});
    auto slow = process("slow");
    slow->health.push_back({"http"});
    auto inner = nested("inner", {process("i1"), process("i2"), process("i3")}, Strategy::rest_for_one);
    auto group = nested("group", {process("g1"), inner, process("g2")}, Strategy::one_for_all);
    keeper.ignores_term = {"stubborn", "i2"};
    checks.automatic = HealthStatus{};
    auto root = root_of({broker, stubborn, slow, group, process("free")});
    root.intensity = {3, 10s};
    start(std::move(root));
    for (const auto* each : manager->list()) ids.push_back(each->id()), wishes[each->id()] = Wish::up;
  }

  void step() {
    const std::string& id = ids[random.below(ids.size())];
    switch (random.below(14)) {
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
      case 11: crash(random.below(5000) * 1ms); break;
      case 12:
        crash(random.below(5000) * 1ms, [&] {
          if (keeper.runs(id)) keeper.exit(id, {1, 0});
        });
        break;
      default: turn();
    }
  }

  void verb(Verb what, const std::string& id) { tree->apply(what, {id}, 0, {}); }

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

  void expect_model(std::uint64_t seed, int round) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, "seed " + std::to_string(seed) + " round " +
                                                             std::to_string(round));
    std::size_t counted = 0;
    for (std::uint8_t status = 0; status < 7; ++status) counted += manager->count(ProcessStatus{status});
    EXPECT_EQ(counted, ids.size());
    for (const std::string& id : ids) {
      const ProcessHandle& handle = (*this)[id];
      const std::string what = id + " is " + std::string(to_string(handle.status)) + ": " + handle.reason;
      EXPECT_EQ(handle.pid.has_value(), keeper.runs(id)) << what;
      EXPECT_EQ(handle.status, status_of(handle.phase, handle.paused(), handle.in_flight)) << what;
      if (keeper.runs(id)) {
        EXPECT_EQ(handle.generation, keeper.generation(id)) << what;
        EXPECT_EQ(keeper.frozen(id), handle.status == ProcessStatus::paused) << what;
      }
      switch (wishes[id]) {
        case Wish::down: EXPECT_TRUE(is_ended(handle.phase)) << what; break;
        case Wish::paused:
          EXPECT_TRUE(handle.status == ProcessStatus::paused || handle.status == ProcessStatus::error) << what;
          break;
        case Wish::up:
          EXPECT_TRUE(handle.status == ProcessStatus::idle || handle.status == ProcessStatus::error ||
                      (handle.status == ProcessStatus::initializing && handle.reason.starts_with("waiting for ")))
              << what;
          break;
      }
      // What failed for good is not wished for any more until the operator starts it.
      if (handle.status == ProcessStatus::error) wishes[id] = Wish::up;
    }
  }

  Random random;
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
