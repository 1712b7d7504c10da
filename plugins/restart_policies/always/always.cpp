// restart_policy/always: whatever ended the process, it starts again after the curve's wait.
#include <tenon/sdk/plugin.hpp>
#include <tenon/sdk/restart_policy.hpp>

#include "../common/backoff.hpp"

namespace {

class Always {
 public:
  explicit Always(tenon::sdk::Host host) : curve_(tenon::restart::read_curve(host)) {}

  tenon::sdk::Decision on_exit(const tenon_exit& exit) const {
    const auto next = tenon::restart::next_restart(curve_, exit);
    return {.action = TENON_RESTART_RESTART, .delay_ns = next.delay_ns, .reset = next.stable};
  }

 private:
  tenon::restart::Curve curve_;
};

}  // namespace

TENON_PLUGIN_NOTE("always", "1.0.0", "Tenon", "MIT",
                  TENON_NOTE_COMPONENT(TENON_KIND_RESTART_POLICY, "always",
                                       TENON_JSON({"type" : "object", "additionalProperties" : false, "properties" : {)
                                           TENON_RESTART_CURVE_PROPERTIES "}}"))
TENON_EXPORT_PLUGIN("always", "1.0.0",
                    {TENON_KIND_RESTART_POLICY, "always", tenon::sdk::restart_policy_table<Always>()})
