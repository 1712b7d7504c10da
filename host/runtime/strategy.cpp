#include "runtime/strategy.hpp"

#include <algorithm>

#include "common/units.hpp"

namespace tenon::runtime {

AffectedRange affected_by(Strategy strategy, std::uint32_t child, std::uint32_t child_count) noexcept {
  switch (strategy) {
    case Strategy::one_for_one: return {child, child + 1};
    case Strategy::rest_for_one: return {child, std::max(child_count, child + 1)};
    case Strategy::one_for_all: return {0, std::max(child_count, child + 1)};
  }
  return {child, child + 1};
}

SupervisionPlan plan_exit(const SupervisorRules& rules, RestartWindow& window, std::span<const ChildState> children,
                          const SupervisionEvent& event, MonotonicTime now) {
  using Action = SupervisionPlan::Action;
  SupervisionPlan plan;
  switch (event.action) {
    case RestartAction::finished: plan.action = Action::finish; return plan;
    case RestartAction::give_up: plan.action = Action::fail_child; return plan;
    case RestartAction::escalate: plan.action = Action::escalate; return plan;
    case RestartAction::restart: break;
  }
  if (!window.admit(rules.intensity, now)) {
    plan.action = rules.on_limit == OnLimit::fail_child ? Action::fail_child : Action::escalate;
    plan.limit_reached = true;
    return plan;
  }
  plan.attempt = static_cast<std::uint32_t>(window.times().size());
  plan.delay = event.delay;
  const AffectedRange range = affected_by(rules.strategy, event.child, static_cast<std::uint32_t>(children.size()));
  for (std::uint32_t i = range.first; i < range.last; ++i) {
    const bool failed = i == event.child;
    if (!failed && children[i].excluded) continue;
    if (!failed && children[i].running) plan.stop.push_back(i);
    plan.start.push_back(i);
  }
  std::reverse(plan.stop.begin(), plan.stop.end());
  return plan;
}

std::string limit_reason(const Intensity& intensity, const std::string& cause) {
  if (intensity.restarts == 0) return "no restarts allowed: " + cause;
  return std::to_string(intensity.restarts) + (intensity.restarts == 1 ? " restart in " : " restarts in ") +
         format_duration(intensity.period) + " did not help: " + cause;
}

}  // namespace tenon::runtime
