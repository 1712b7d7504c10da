// health_check/watchdog: the process sent WATCHDOG=1 by sd_notify(3) within `max_age`, which it finds as WATCHDOG_USEC in
// its environment. Before its first one its READY=1 counts, or its start. WATCHDOG=trigger is unhealthy at once.
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>

#include "../common/last_sign.hpp"

namespace {

constexpr std::uint64_t kDefaultMaxAge = 30'000'000'000;  // as in the schema below

class Watchdog {
 public:
  explicit Watchdog(tenon::sdk::Host host)
      : max_age_ns_(host.config_duration_ns("/max_age", kDefaultMaxAge)), last_(host, "tenon.watchdog", "WATCHDOG=1") {}

  void start(const tenon_health_target& target) { last_.start(target); }

  void check(std::uint64_t token, std::uint64_t) {
    std::uint64_t triggered = 0;
    if (!last_.ask("tenon.watchdog.trigger", token, triggered)) return;
    if (triggered >= last_.started_ns() && triggered != 0)
      return last_.host().complete_check(token, TENON_UNHEALTHY, "it asked to be taken for dead: WATCHDOG=trigger");
    last_.check(token, max_age_ns_);
  }
  void cancel() {}
  void stop() {}

 private:
  const std::uint64_t max_age_ns_;
  tenon::health::LastSign last_;
};

}  // namespace

TENON_PLUGIN_NOTE(
    "watchdog", "1.0.0", "Tenon", "MIT",
    TENON_NOTE_COMPONENT(TENON_KIND_HEALTH_CHECK, "watchdog", TENON_JSON({
      "type" : "object", "additionalProperties" : false, "x-tenon-watchdog" : "max_age", "properties" : {
        "max_age" : {
          "type" : "string", "pattern" : "^[0-9]+(\\.[0-9]+)?(us|ms|s|m|h|d)$", "default" : "30s",
          "description" : "Unhealthy when the last WATCHDOG=1 is older (or READY=1, or the start)."
        }
      }
    })))
TENON_EXPORT_PLUGIN("watchdog", "1.0.0",
                    {TENON_KIND_HEALTH_CHECK, "watchdog", tenon::sdk::health_check_table<Watchdog>()})
