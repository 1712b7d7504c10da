// restart_policy/cooldown: restarts after the curve's waits as on_failure does, but gives a crash loop up for a while, then
// tries it once; see breaker.hpp.
//
// The supervisor's intensity counts these restarts as any other: it must allow `failures` restarts in its period, or it
// gives up before the breaker opens; and a cool-down longer than the period leaves each trial a budget of its own.
#include <tenon/sdk/plugin.hpp>
#include <tenon/sdk/restart_policy.hpp>

#include "../../common/duration_text.hpp"
#include "../common/backoff.hpp"
#include "../common/success.hpp"
#include "breaker.hpp"

namespace {

using tenon::restart::Breaker;
using tenon::restart::BreakerState;
using tenon::restart::kLongestWait;

tenon::sdk::Error refused(const std::string& text) { return {TENON_ERR_INVALID_ARGUMENT, text, TENON_FAULT_CALLER}; }

Breaker read_breaker(const tenon::sdk::Host& host, const tenon::restart::Curve& curve) {
  Breaker breaker;
  const std::int64_t failures = host.config_integer("/failures", static_cast<std::int64_t>(breaker.failures));
  if (failures < 1) throw refused("set failures to 1 or more");
  breaker.failures = static_cast<std::uint64_t>(failures);
  breaker.cooldown_ns = host.config_duration_ns("/cooldown", breaker.cooldown_ns);
  breaker.factor = host.config_number("/cooldown_factor", breaker.factor);
  breaker.max_ns = host.config_duration_ns("/cooldown_max", breaker.max_ns);
  breaker.jitter = curve.jitter;
  if (breaker.cooldown_ns == 0) throw refused("set cooldown to more than 0; without a rest, take on_failure or always");
  if (!(breaker.factor >= 1)) throw refused("set cooldown_factor to 1 or more");
  if (breaker.max_ns > kLongestWait || breaker.cooldown_ns > kLongestWait)
    throw refused("set cooldown and cooldown_max to 24h or less: no restart waits longer");
  if (breaker.max_ns < breaker.cooldown_ns) throw refused("set cooldown_max to at least as long as cooldown");
  return breaker;
}

bool read_finishes(const tenon::sdk::Host& host) {
  const std::string on_success = host.config_string("/on_success", "finish");
  if (on_success != "finish" && on_success != "restart") throw refused("set on_success to \"finish\" or \"restart\"");
  return on_success == "finish";
}

std::string runs(std::uint64_t count) { return std::to_string(count) + (count == 1 ? " failed run" : " failed runs"); }

class Cooldown {
 public:
  explicit Cooldown(tenon::sdk::Host host)
      : curve_(tenon::restart::read_curve(host)), success_(tenon::restart::read_success(host)),
        breaker_(read_breaker(host, curve_)), finishes_(read_finishes(host)) {}

  tenon::sdk::Decision on_exit(const tenon_exit& exit) const {
    const BreakerState before = tenon::restart::read_state(exit.memory);
    const auto next = tenon::restart::next_restart(curve_, exit);
    const bool success = success_.contains(exit);
    BreakerState after;
    if (!success) after = tenon::restart::after_failure(breaker_, before, next.stable);

    tenon::sdk::Decision decision;
    decision.keeps_memory = true;
    tenon::restart::write_state(after, decision.memory);
    if (success && finishes_) {
      decision.action = TENON_RESTART_FINISHED;
    } else if (after.half_open()) {
      decision.delay_ns = tenon::restart::cooldown_wait(breaker_, after.cooldowns, exit.random);
      decision.text = cooling_down(decision.delay_ns, before, after);
    } else if (before.half_open()) {  // closed again: what was before it is forgotten, and so the restart is immediate
      decision.reset = true;
      decision.text = success ? "the trial run succeeded" : "the trial run was stable";
    } else {
      decision.delay_ns = next.delay_ns;
      decision.reset = next.stable;
      if (after.failed_runs > 1) decision.text = runs_left(after);
    }
    return decision;
  }

 private:
  static std::string cooling_down(std::uint64_t delay_ns, const BreakerState& before, const BreakerState& after) {
    return "cooling down for " + tenon::plugins::describe_duration(delay_ns) + " after " + runs(after.failed_runs) +
           (before.half_open() ? ", the last a trial" : "");
  }
  std::string runs_left(const BreakerState& state) const {
    const std::uint64_t left = breaker_.failures > state.failed_runs ? breaker_.failures - state.failed_runs : 1;
    return std::to_string(left) + (left == 1 ? " more failed run" : " more failed runs") + " and it cools down";
  }

  tenon::restart::Curve curve_;
  tenon::restart::Success success_;
  Breaker breaker_;
  bool finishes_;  // on a success
};

}  // namespace

TENON_PLUGIN_NOTE(
    "cooldown", "1.0.0", "Tenon", "MIT",
    TENON_NOTE_COMPONENT(TENON_KIND_RESTART_POLICY, "cooldown", TENON_JSON({
      "type" : "object", "additionalProperties" : false, "properties" : {
        "failures" : {
          "type" : "integer", "minimum" : 1, "maximum" : 10000, "default" : 5,
          "description" : "Failed runs in a row until it cools down; intensity.restarts must not be smaller."
        },
        "cooldown" : {
          "type" : "string", "pattern" : "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)|0)$", "default" : "5m",
          "description" : "The wait before a trial run, up to jitter longer; take more than intensity.period."
        },
        "cooldown_factor" : {
          "type" : "number", "minimum" : 1, "default" : 1,
          "description" : "After each trial that fails the next cool-down is this many times longer."
        },
        "cooldown_max" : {
          "type" : "string", "pattern" : "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)|0)$", "default" : "24h",
          "description" : "The longest cool-down, jitter aside; at most 24h."
        },
        "on_success" : {
          "type" : "string", "enum" : ["finish", "restart"], "default" : "finish",
          "description" : "What follows a success: it stays down, or it restarts and its failed runs are forgotten."
        },) TENON_RESTART_CURVE_PROPERTIES "," TENON_RESTART_SUCCESS_PROPERTIES "}}"))
TENON_EXPORT_PLUGIN("cooldown", "1.0.0",
                    {TENON_KIND_RESTART_POLICY, "cooldown", tenon::sdk::restart_policy_table<Cooldown>()})
