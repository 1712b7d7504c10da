// health_check/cpu: the processor time of the process and of those it started, in cores, averaged from one check to the
// next, stays below the thresholds.
//
// Linux counts it in ticks, mostly of 10 ms, so an average is taken over a second at least: checks that come sooner
// repeat the one before. What a descendant used is lost with it when nobody waits for it; a sum that fell counts as no
// use. Until there is a first average the process is healthy.
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>

#include <cmath>
#include <cstdio>
#include <string>

#include "../../common/duration_text.hpp"
#include "../common/usage.hpp"

namespace {

using tenon::plugins::describe_duration;

constexpr std::uint64_t kShortestSpan = 1'000'000'000;

// Rounded up, so that what is over a limit looks so; less what the division itself may have added.
std::string describe_cores(double cores) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", std::ceil(cores * 100 - 1e-6) / 100);
  return text;
}

std::string describe_limit(double cores) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", cores);
  return text;
}

class Cpu {
 public:
  explicit Cpu(tenon::sdk::Host host) : host_(host) {
    thresholds_.degraded = cores(TENON_DEGRADED);
    thresholds_.unhealthy = cores(TENON_UNHEALTHY);
    thresholds_.check();
  }

  void start(const tenon_health_target& target) {
    process_id_ = tenon::sdk::from_abi(target.process_id);
    since_.reset();
    average_.reset();
  }

  void check(std::uint64_t token, std::uint64_t) {
    const auto usage = tenon::health::usage_or_answer(host_, token, process_id_, &tenon_usage::cpu_ns);
    if (!usage) return;
    take(usage->cpu_ns);
    const std::uint32_t health = average_ ? thresholds_.health_of(average_->cores) : TENON_HEALTHY;
    if (health == TENON_HEALTHY) return host_.complete_check(token, health);
    const double limit = health == TENON_UNHEALTHY ? *thresholds_.unhealthy : *thresholds_.degraded;
    host_.complete_check(token, health,
                         process_id_ + " used " + describe_cores(average_->cores) + " cores over " +
                             describe_duration(average_->span_ns) + "; " + tenon::health::threshold_name(health) +
                             " is " + describe_limit(limit));
  }

  void cancel() {}
  void stop() {}

 private:
  struct Sample {
    std::uint64_t at_ns, cpu_ns;
  };
  struct Average {
    double cores;
    std::uint64_t span_ns;
  };

  void take(std::uint64_t cpu_ns) {
    const std::uint64_t now = host_.monotonic_ns();
    const std::uint64_t span = since_ ? now - since_->at_ns : 0;
    if (since_ && span < kShortestSpan) return;
    if (since_) {
      const std::uint64_t used = cpu_ns > since_->cpu_ns ? cpu_ns - since_->cpu_ns : 0;
      average_ = Average{static_cast<double>(used) / static_cast<double>(span), span};
    }
    since_ = Sample{now, cpu_ns};
  }

  std::optional<double> cores(std::uint32_t health) const {
    const std::string pointer = std::string("/") + tenon::health::threshold_name(health);
    const double value = host_.config_number(pointer, NAN);
    if (std::isnan(value)) return std::nullopt;
    if (!(value > 0))
      throw tenon::sdk::Error(TENON_ERR_INVALID_ARGUMENT, "set " + pointer.substr(1) + " to cores above 0, such as 0.5",
                              TENON_FAULT_CALLER);
    return value;
  }

  tenon::sdk::Host host_;
  tenon::health::Thresholds<double> thresholds_;  // cores
  std::string process_id_;
  std::optional<Sample> since_;     // of this incarnation, what the next average begins with
  std::optional<Average> average_;  // of this incarnation, the last
};

}  // namespace

TENON_PLUGIN_NOTE(
    "cpu", "1.0.0", "Tenon", "MIT",
    TENON_NOTE_COMPONENT(TENON_KIND_HEALTH_CHECK, "cpu", TENON_JSON({
      "type" : "object", "additionalProperties" : false, "minProperties" : 1, "properties" : {
        "degraded_above" : {
          "type" : "number", "exclusiveMinimum" : 0,
          "description" : "Degraded when process and descendants used more cores since the last check, such as 0.5."
        },
        "unhealthy_above" : {
          "type" : "number", "exclusiveMinimum" : 0,
          "description" : "Unhealthy when process and descendants used more cores since the last check."
        }
      }
    })))
TENON_EXPORT_PLUGIN("cpu", "1.0.0", {TENON_KIND_HEALTH_CHECK, "cpu", tenon::sdk::health_check_table<Cpu>()})
