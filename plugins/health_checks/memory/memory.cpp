// health_check/memory: the resident memory of the process and of those it started stays below the thresholds. Pages
// that several of them share count once for each, as the host counts them.
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>

#include <string>

#include "../../common/size_text.hpp"
#include "../common/usage.hpp"

namespace {

using tenon::plugins::describe_size;

class Memory {
 public:
  explicit Memory(tenon::sdk::Host host) : host_(host) {
    thresholds_.degraded = size(TENON_DEGRADED);
    thresholds_.unhealthy = size(TENON_UNHEALTHY);
    thresholds_.check();
  }

  void start(const tenon_health_target& target) { process_id_ = tenon::sdk::from_abi(target.process_id); }

  void check(std::uint64_t token, std::uint64_t) {
    const auto usage = tenon::health::usage_or_answer(host_, token, process_id_, &tenon_usage::memory_bytes);
    if (!usage) return;
    const std::uint32_t health = thresholds_.health_of(usage->memory_bytes);
    if (health == TENON_HEALTHY) return host_.complete_check(token, health);
    const std::uint32_t count = usage->process_count;
    const std::string where = count > 1 ? " in " + std::to_string(count) + " processes" : "";
    const std::uint64_t limit = health == TENON_UNHEALTHY ? *thresholds_.unhealthy : *thresholds_.degraded;
    host_.complete_check(token, health,
                         process_id_ + " uses " + describe_size(usage->memory_bytes) + where + "; " +
                             tenon::health::threshold_name(health) + " is " + describe_size(limit));
  }

  void cancel() {}
  void stop() {}

 private:
  std::optional<std::uint64_t> size(std::uint32_t health) const {
    const std::string pointer = std::string("/") + tenon::health::threshold_name(health);
    const std::uint64_t octets = host_.config_size(pointer, UINT64_MAX);
    return octets == UINT64_MAX ? std::nullopt : std::optional(octets);
  }

  tenon::sdk::Host host_;
  tenon::health::Thresholds<std::uint64_t> thresholds_;  // octets
  std::string process_id_;
};

}  // namespace

TENON_PLUGIN_NOTE(
    "memory", "1.0.0", "Tenon", "MIT",
    TENON_NOTE_COMPONENT(TENON_KIND_HEALTH_CHECK, "memory", TENON_JSON({
      "type" : "object", "additionalProperties" : false, "minProperties" : 1, "properties" : {
        "degraded_above" : {
          "type" : "string", "pattern" : "^[0-9]+(\\.[0-9]+)?(B|[KMGT]iB|[kKMGT]B)$",
          "description" : "Degraded when process and descendants have more resident memory, such as 200MiB."
        },
        "unhealthy_above" : {
          "type" : "string", "pattern" : "^[0-9]+(\\.[0-9]+)?(B|[KMGT]iB|[kKMGT]B)$",
          "description" : "Unhealthy when process and descendants have more resident memory."
        }
      }
    })))
TENON_EXPORT_PLUGIN("memory", "1.0.0", {TENON_KIND_HEALTH_CHECK, "memory", tenon::sdk::health_check_table<Memory>()})
