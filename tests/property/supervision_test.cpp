// A supervisor's plans against a model that a person can check by eye: it keeps every failure, and counts.
#include "runtime/strategy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include <rapidcheck/gtest.h>

namespace tenon::property {
namespace {

using namespace runtime;
using Action = SupervisionPlan::Action;

// Never forgets anything, knows no trimming.
struct Model {
  SupervisorRules rules;
  std::vector<MonotonicTime> failures;

  SupervisionPlan plan(const std::vector<ChildState>& children, const SupervisionEvent& event, MonotonicTime now) {
    SupervisionPlan out;
    if (event.action == RestartAction::finished) return out.action = Action::finish, out;
    if (event.action == RestartAction::give_up) return out.action = Action::fail_child, out;
    if (event.action == RestartAction::escalate) return out.action = Action::escalate, out;
    failures.push_back(now);
    const auto recent = std::count_if(failures.begin(), failures.end(),
                                      [&](MonotonicTime at) { return now - at < rules.intensity.period; });
    if (recent > static_cast<std::ptrdiff_t>(rules.intensity.restarts)) {
      out.action = rules.on_limit == OnLimit::fail_child ? Action::fail_child : Action::escalate;
      out.limit_reached = true;
      return out;
    }
    out.delay = event.delay;
    out.attempt = static_cast<std::uint32_t>(recent);
    for (std::uint32_t i = 0; i < children.size(); ++i) {
      if (!reaches(event.child, i)) continue;
      if (i == event.child || !children[i].excluded) out.start.push_back(i);
      if (i != event.child && !children[i].excluded && children[i].running) out.stop.insert(out.stop.begin(), i);
    }
    return out;
  }
  bool reaches(std::uint32_t failed, std::uint32_t other) const {
    if (rules.strategy == Strategy::one_for_all) return true;
    return rules.strategy == Strategy::rest_for_one ? other >= failed : other == failed;
  }
};

SupervisorRules any_rules() {
  SupervisorRules rules;
  rules.strategy = *rc::gen::element(Strategy::one_for_one, Strategy::rest_for_one, Strategy::one_for_all);
  rules.on_limit = *rc::gen::element(OnLimit::fail_child, OnLimit::escalate);
  rules.intensity = {*rc::gen::inRange<std::uint32_t>(0, 5), Duration(*rc::gen::inRange<std::int64_t>(1, 20))};
  return rules;
}

std::vector<ChildState> any_children() {
  std::vector<ChildState> children(*rc::gen::inRange<std::size_t>(1, 8));
  for (ChildState& child : children) child = {*rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>()};
  return children;
}

SupervisionEvent any_event(std::size_t children) {
  return {*rc::gen::inRange<std::uint32_t>(0, static_cast<std::uint32_t>(children)),
          // Mostly restarts: those are what is counted.
          *rc::gen::weightedElement<RestartAction>({{12, RestartAction::restart},
                                                    {1, RestartAction::finished},
                                                    {1, RestartAction::give_up},
                                                    {1, RestartAction::escalate}}),
          Duration(*rc::gen::inRange<std::int64_t>(0, 100))};
}

// Times are small numbers, so that failures lie on the edge of the period all the time.
RC_GTEST_PROP(Supervision, PlansAsTheModelDoes, ()) {
  Model model{any_rules(), {}};
  RestartWindow window;
  MonotonicTime now{Duration(1'000)};
  const auto events = *rc::gen::inRange(1, 40);
  for (int i = 0; i < events; ++i) {
    now += Duration(*rc::gen::inRange<std::int64_t>(0, 8));
    const std::vector<ChildState> children = any_children();
    const SupervisionEvent event = any_event(children.size());
    const SupervisionPlan expected = model.plan(children, event, now);
    // One for one is never given the siblings, however many there are.
    const bool alone = model.rules.strategy == Strategy::one_for_one;
    const SupervisionPlan made =
        plan_exit(model.rules, window, alone ? std::vector<ChildState>() : children, event, now);
    RC_ASSERT(made == expected);
  }
}

// What a successor restores from a label goes on counting as the window did that it was saved from.
RC_GTEST_PROP(Supervision, AWindowSurvivesItsLabel, ()) {
  const Intensity intensity{*rc::gen::inRange<std::uint32_t>(0, 5), Duration(*rc::gen::inRange<std::int64_t>(1, 20))};
  RestartWindow lived, restored;
  MonotonicTime now{Duration(1'000)};
  for (int i = 0; i < 30; ++i) {
    now += Duration(*rc::gen::inRange<std::int64_t>(0, 8));
    RC_ASSERT(lived.admit(intensity, now) == restored.admit(intensity, now));
    RestartWindow successor;
    successor.restore(restored.times());
    restored = successor;
  }
}

}  // namespace
}  // namespace tenon::property
