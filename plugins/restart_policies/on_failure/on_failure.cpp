// restart_policy/on_failure: a success finishes the process, anything else restarts it after the curve's wait.
#include <tenon/sdk/plugin.hpp>
#include <tenon/sdk/restart_policy.hpp>

#include "../common/backoff.hpp"
#include "../common/success.hpp"

namespace {

class OnFailure {
 public:
  explicit OnFailure(tenon::sdk::Host host)
      : curve_(tenon::restart::read_curve(host)), success_(tenon::restart::read_success(host)) {}

  tenon::sdk::Decision on_exit(const tenon_exit& exit) const {
    if (success_.contains(exit))
      return {.action = TENON_RESTART_FINISHED};
    const auto next = tenon::restart::next_restart(curve_, exit);
    return {.action = TENON_RESTART_RESTART, .delay_ns = next.delay_ns, .reset = next.stable};
  }

 private:
  tenon::restart::Curve curve_;
  tenon::restart::Success success_;
};

}  // namespace

TENON_PLUGIN_NOTE("on_failure", "1.0.0", "Tenon", "MIT",
                  TENON_NOTE_COMPONENT(TENON_KIND_RESTART_POLICY, "on_failure",
                                       TENON_JSON({"type" : "object", "additionalProperties" : false, "properties" : {)
                                           TENON_RESTART_CURVE_PROPERTIES "," TENON_RESTART_SUCCESS_PROPERTIES "}}"))
TENON_EXPORT_PLUGIN("on_failure", "1.0.0",
                    {TENON_KIND_RESTART_POLICY, "on_failure", tenon::sdk::restart_policy_table<OnFailure>()})
