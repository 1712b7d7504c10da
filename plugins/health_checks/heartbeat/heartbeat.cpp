// health_check/heartbeat: the worker said tenon.heartbeat within `max_age`. Before its first one the start counts.
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>

#include <algorithm>
#include <string>

#include "../../common/duration_text.hpp"

namespace {

using tenon::plugins::describe_duration;

// Without `max_age`: so many intervals of the check, so that a beat an interval may be late, or lost once.
constexpr std::uint64_t kIntervals = 3;
constexpr std::uint64_t kUsualInterval = 5'000'000'000;

class Heartbeat {
 public:
  explicit Heartbeat(tenon::sdk::Host host)
      : host_(host), configured_ns_(host.config_duration_ns("/max_age", 0)),
        max_age_ns_(configured_ns_ != 0 ? configured_ns_ : kIntervals * kUsualInterval) {}

  void start(const tenon_health_target& target) {
    process_id_ = tenon::sdk::from_abi(target.process_id);
    started_ns_ = target.started_ns;
    const tenon_health_target* const known = &target;
    const bool has_interval = TENON_HAS(known, tenon_health_target, interval_ns) && target.interval_ns != 0;
    if (configured_ns_ == 0 && has_interval) max_age_ns_ = kIntervals * target.interval_ns;
  }

  void check(std::uint64_t token, std::uint64_t) {
    std::uint64_t last = 0;
    const tenon_host* host = host_.raw();
    const tenon_status status = host->last_control_message(host->context, tenon::sdk::to_abi(process_id_),
                                                           tenon::sdk::to_abi("tenon.heartbeat"), &last);
    if (status == TENON_ERR_NOT_FOUND)
      return host_.complete_check(token, TENON_UNHEALTHY, "process " + process_id_ + " does not run");
    if (status != TENON_OK)
      throw tenon::sdk::Error(status, "the host cannot tell when " + process_id_ + " last sent a heartbeat",
                              TENON_FAULT_HOST, true);
    const std::uint64_t now = host_.monotonic_ns(), since = std::max(last, started_ns_);
    const std::uint64_t age = now > since ? now - since : 0;
    if (age <= max_age_ns_) return host_.complete_check(token, TENON_HEALTHY);
    const std::string what = last == 0 ? "no tenon.heartbeat since its start " + describe_duration(age) + " ago"
                                       : "the last tenon.heartbeat came " + describe_duration(age) + " ago";
    host_.complete_check(token, TENON_UNHEALTHY, what + "; max_age is " + describe_duration(max_age_ns_));
  }

  void cancel() {}
  void stop() {}

 private:
  tenon::sdk::Host host_;
  const std::uint64_t configured_ns_;  // 0: not
  std::uint64_t max_age_ns_, started_ns_ = 0;
  std::string process_id_;
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
