// health_check/process: the process runs, nothing more. Unhealthy when it is gone, degraded when its state cannot be
// read.
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>

#include <string>

namespace {

class Process {
 public:
  explicit Process(tenon::sdk::Host host) : host_(host) {}

  void start(const tenon_health_target& target) { process_id_ = tenon::sdk::from_abi(target.process_id); }

  void check(std::uint64_t token, std::uint64_t) {
    tenon_usage usage;
    TENON_INIT(&usage);
    const tenon_host* host = host_.raw();
    const tenon_status status = host->process_usage(host->context, tenon::sdk::to_abi(process_id_), &usage);
    if (status == TENON_ERR_NOT_FOUND) {
      host_.complete_check(token, TENON_UNHEALTHY, "process " + process_id_ + " does not run");
    } else if (status != TENON_OK || (usage.memory_bytes == UINT64_MAX && usage.cpu_ns == UINT64_MAX)) {
      host_.complete_check(token, TENON_DEGRADED,
                           "process " + process_id_ + " runs, but what it uses cannot be read from /proc");
    } else {
      host_.complete_check(token, TENON_HEALTHY);
    }
  }

  void cancel() {}
  void stop() {}

 private:
  tenon::sdk::Host host_;
  std::string process_id_;
};

}  // namespace

TENON_PLUGIN_NOTE("process", "1.0.0", "Tenon", "MIT",
                  TENON_NOTE_COMPONENT(TENON_KIND_HEALTH_CHECK, "process", TENON_JSON({
                                         "type" : "object", "additionalProperties" : false, "properties" : {}
                                       })))
TENON_EXPORT_PLUGIN("process", "1.0.0",
                    {TENON_KIND_HEALTH_CHECK, "process", tenon::sdk::health_check_table<Process>()})
