// health_check/heartbeat: the worker said tenon.heartbeat within `max_age`. Before its first one the start counts.
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>

#include "../common/last_sign.hpp"

namespace {

// Without `max_age`: so many intervals of the check, so that a beat an interval may be late, or lost once.
constexpr std::uint64_t kIntervals = 3;
constexpr std::uint64_t kUsualInterval = 5'000'000'000;

class Heartbeat {
 public:
  explicit Heartbeat(tenon::sdk::Host host)
      : configured_ns_(host.config_duration_ns("/max_age", 0)),
        max_age_ns_(configured_ns_ != 0 ? configured_ns_ : kIntervals * kUsualInterval),
        last_(host, "tenon.heartbeat", "tenon.heartbeat") {}

  void start(const tenon_health_target& target) {
    last_.start(target);
    const tenon_health_target* const known = &target;
    const bool has_interval = TENON_HAS(known, tenon_health_target, interval_ns) && target.interval_ns != 0;
    if (configured_ns_ == 0 && has_interval) max_age_ns_ = kIntervals * target.interval_ns;
  }

  void check(std::uint64_t token, std::uint64_t) { last_.check(token, max_age_ns_); }
  void cancel() {}
  void stop() {}

 private:
  const std::uint64_t configured_ns_;  // 0: not
  std::uint64_t max_age_ns_;
  tenon::health::LastSign last_;
};

}  // namespace

TENON_PLUGIN_NOTE(
    "heartbeat", "1.0.0", "Tenon", "MIT",
    TENON_NOTE_COMPONENT(TENON_KIND_HEALTH_CHECK, "heartbeat", TENON_JSON({
      "type" : "object", "additionalProperties" : false, "x-tenon-needs-channel" : true, "properties" : {
        "max_age" : {
          "type" : "string", "pattern" : "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)|0)$",
          "description" : "Unhealthy when the last tenon.heartbeat is older (or the start). Default: 3 intervals."
        }
      }
    })))
TENON_EXPORT_PLUGIN("heartbeat", "1.0.0",
                    {TENON_KIND_HEALTH_CHECK, "heartbeat", tenon::sdk::health_check_table<Heartbeat>()})
