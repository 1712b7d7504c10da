// The breaker of restart_policy/cooldown against a model of its three states, and whatever its memory holds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <rapidcheck/gtest.h>

#include "support/plugin_under_test.hpp"

namespace tenon::property {
namespace {

using namespace test_support;

const tenon_restart_policy& cooldown() {
  static const LoadedPlugin plugin = LoadedPlugin::open("cooldown");
  return plugin.restart_policy("cooldown");
}

struct Settings {
  std::uint64_t failures, cooldown_ms, max_ms;
  double factor, jitter;
  bool finishes;

  std::string config() const {
    return R"({"initial":"10ms","max":"1s","reset_after":"60s","failures":)" + std::to_string(failures) +
           R"(,"cooldown":")" + std::to_string(cooldown_ms) + R"(ms","cooldown_max":")" + std::to_string(max_ms) +
           R"(ms","cooldown_factor":)" + std::to_string(factor) + R"(,"jitter":)" + std::to_string(jitter) +
           R"(,"on_success":")" + (finishes ? "finish" : "restart") + "\"}";
  }
};

Settings settings() {
  Settings drawn;
  drawn.failures = *rc::gen::inRange<std::uint64_t>(1, 8);
  drawn.cooldown_ms = *rc::gen::inRange<std::uint64_t>(1'000, 3'600'000);
  drawn.max_ms = drawn.cooldown_ms + *rc::gen::inRange<std::uint64_t>(0, 3'600'000);
  drawn.factor = *rc::gen::elementOf(std::vector<double>{1, 1.5, 2, 1000});
  drawn.jitter = *rc::gen::elementOf(std::vector<double>{0, 0.125, 1});
  drawn.finishes = *rc::gen::arbitrary<bool>();
  return drawn;
}

enum class End { fails, is_stable_then_fails, succeeds };

tenon_exit exit_of(End end, std::uint32_t consecutive, std::uint64_t random) {
  tenon_exit exit = exited(TENON_ENDED_CODE, end == End::succeeds ? 0 : 1, consecutive);
  exit.run_time_ns = end == End::is_stable_then_fails ? 60'000'000'000 : 1'000'000'000;
  exit.random = random;
  return exit;
}

// The three states as a person would write them down; what the policy may answer after each end.
struct Model {
  enum class State { closed, half_open } state = State::closed;
  std::uint64_t row = 0;
  double cooldown_ms = 0;  // of the last cool-down

  // How long it must at least, and may at most, wait now; 0: the curve's waits.
  double least_ms = 0, most_ms = 1'000;
  void take(End end, const Settings& s) {
    least_ms = 0, most_ms = 1'000;
    if (end == End::succeeds) return close(0);
    if (end == End::is_stable_then_fails) return close(1);
    ++row;
    if (state == State::closed && row < s.failures) return;
    cooldown_ms = state == State::closed ? static_cast<double>(s.cooldown_ms) : cooldown_ms * s.factor;
    cooldown_ms = std::min(cooldown_ms, static_cast<double>(s.max_ms));
    state = State::half_open;
    least_ms = cooldown_ms, most_ms = cooldown_ms * (1 + s.jitter);
  }
  void close(std::uint64_t failed) { state = State::closed, row = failed; }
};

RC_GTEST_PROP(Cooldown, WaitsAsItsStateDemandsThroughAnyHistory, ()) {
  const Settings s = settings();
  const auto ends = *rc::gen::container<std::vector<End>>(
      rc::gen::weightedElement<End>({{12, End::fails}, {2, End::is_stable_then_fails}, {1, End::succeeds}}));
  Model model;
  std::array<std::uint64_t, 4> memory{};
  std::uint32_t consecutive = 0;
  std::size_t cooled = 0;
  for (const End end : ends) {
    // An instance of its own for each exit: what it knows, it knows from the memory words.
    RestartPolicyUnderTest policy(cooldown(), s.config());
    tenon_exit exit = exit_of(end, consecutive, *rc::gen::arbitrary<std::uint64_t>());
    std::copy(memory.begin(), memory.end(), exit.memory);
    const bool was_half_open = model.state == Model::State::half_open;
    model.take(end, s);
    const PolicyDecision decision = policy.on_exit(exit);
    if (end == End::succeeds && s.finishes) {
      RC_ASSERT(decision.action == TENON_RESTART_FINISHED);
      break;
    }
    const double waits_ms = static_cast<double>(decision.delay.count()) / 1e6;
    RC_ASSERT(decision.action == TENON_RESTART_RESTART);
    RC_ASSERT(waits_ms >= model.least_ms - 1e-3);
    RC_ASSERT(waits_ms <= model.most_ms + 1e-3);
    RC_ASSERT(decision.text.starts_with("cooling down for ") == (model.state == Model::State::half_open));
    const bool closed_now = was_half_open && model.state == Model::State::closed;
    RC_ASSERT(decision.reset == (end == End::is_stable_then_fails || closed_now));
    consecutive = decision.reset ? 1 : consecutive + 1;
    memory = decision.memory;
    cooled += model.state == Model::State::half_open ? 1 : 0;
  }
  RC_CLASSIFY(cooled != 0, "cools down");
  RC_CLASSIFY(cooled > 5, "cools down often");
}

RC_GTEST_PROP(Cooldown, MakesSenseOfAnyMemory, (std::vector<std::uint64_t> words, bool marked, std::uint64_t random)) {
  const Settings s = settings();
  RestartPolicyUnderTest policy(cooldown(), s.config());
  const auto end = *rc::gen::element(End::fails, End::is_stable_then_fails, End::succeeds);
  tenon_exit exit = exit_of(end, *rc::gen::arbitrary<std::uint32_t>(), random);
  words.resize(4);
  std::copy(words.begin(), words.end(), exit.memory);
  if (marked) {
    const auto own = policy.on_exit(exited(TENON_ENDED_CODE, 1)).memory;
    exit.memory[0] = own[0];
  }
  const PolicyDecision decision = policy.on_exit(exit);
  RC_ASSERT(decision.action == (end == End::succeeds && s.finishes ? TENON_RESTART_FINISHED : TENON_RESTART_RESTART));
  RC_ASSERT(decision.delay <= std::chrono::milliseconds(std::max<std::uint64_t>(s.max_ms, 1'000) * 2));
  // What it leaves is a state like any other: failing from there on, it cools down before long, and for long enough.
  std::array<std::uint64_t, 4> memory = decision.memory;
  bool cooled = false;
  for (std::uint64_t i = 0; i < s.failures; ++i) {
    tenon_exit next = exit_of(End::fails, 1, random);
    std::copy(memory.begin(), memory.end(), next.memory);
    const PolicyDecision again = policy.on_exit(next);
    cooled = cooled || again.delay >= std::chrono::milliseconds(s.cooldown_ms);
    memory = again.memory;
  }
  RC_ASSERT(cooled);
}

}  // namespace
}  // namespace tenon::property
