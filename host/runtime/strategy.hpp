// What a supervisor does about one failed child: pure functions of (rules, window, children, event, now).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/restart_policy.hpp"
#include "runtime/restart_window.hpp"
#include "runtime/supervisor_config.hpp"

namespace tenon::runtime {

struct SupervisorRules {
  Strategy strategy = Strategy::one_for_one;
  Intensity intensity;
  OnLimit on_limit = OnLimit::escalate;
  AutoShutdown auto_shutdown = AutoShutdown::never;
};

// A child as a group strategy sees it.
struct ChildState {
  bool running = false;  // something of it runs or is about to: it must be stopped first
  bool excluded = false; // stopped by the operator, or in error: a group restart leaves it as it is
};

// Whose window counts a failure under these rules: the child's own (fail_child) or the supervisor's (escalate).
constexpr bool window_is_shared(const SupervisorRules& rules) noexcept { return rules.on_limit == OnLimit::escalate; }

struct SupervisionEvent {
  std::uint32_t child = 0;  // index in the list of children
  RestartAction action = RestartAction::restart;
  Duration delay{0};
};

struct SupervisionPlan {
  enum class Action : std::uint8_t {
    restart,     // stop what `stop` lists, in that order; when they are gone and `delay` is over, start `start`
    finish,      // the child ended on purpose
    fail_child,  // the child becomes error
    escalate,    // the supervisor gives up
  };
  Action action = Action::restart;
  std::vector<std::uint32_t> stop;   // without the failed child, which is down already; last in the list first
  std::vector<std::uint32_t> start;  // the failed child included; in list order
  Duration delay{0};
  std::uint32_t attempt = 0;  // restart n of intensity.restarts within the period
  bool limit_reached = false; // the window, not the policy, is why it fails or escalates
  bool operator==(const SupervisionPlan&) const = default;
};

// Counts the restart in `window` if there is to be one. `children` may be empty with one_for_one.
SupervisionPlan plan_exit(const SupervisorRules& rules, RestartWindow& window, std::span<const ChildState> children,
                          const SupervisionEvent& event, MonotonicTime now);

// Which children a strategy takes along, the failed one included, in list order: [first, last).
struct AffectedRange {
  std::uint32_t first = 0, last = 0;
  bool operator==(const AffectedRange&) const = default;
};
AffectedRange affected_by(Strategy strategy, std::uint32_t child, std::uint32_t child_count) noexcept;

// A significant child has ended for good by itself: whether its supervisor stops. `others_live`: another significant one
// runs, or is about to.
constexpr bool stops_with_child(AutoShutdown rule, bool others_live) noexcept {
  return rule == AutoShutdown::any_significant || (rule == AutoShutdown::all_significant && !others_live);
}

// "5 restarts in 10 s were not enough: exit code 3".
std::string limit_reason(const Intensity& intensity, const std::string& cause);

}  // namespace tenon::runtime
