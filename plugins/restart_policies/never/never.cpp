// restart_policy/never: a success finishes the process, anything else is a failure that stays one.
#include <tenon/sdk/plugin.hpp>
#include <tenon/sdk/restart_policy.hpp>

#include "../common/success.hpp"

namespace {

class Never {
 public:
  explicit Never(tenon::sdk::Host host) : success_(tenon::restart::read_success(host)) {}

  tenon::sdk::Decision on_exit(const tenon_exit& exit) const {
    if (success_.contains(exit))
      return {.action = TENON_RESTART_FINISHED};
    return {.action = TENON_RESTART_GIVE_UP, .text = "the policy is never to restart it"};
  }

 private:
  tenon::restart::Success success_;
};

}  // namespace

TENON_PLUGIN_NOTE("never", "1.0.0", "Tenon", "MIT",
                  TENON_NOTE_COMPONENT(TENON_KIND_RESTART_POLICY, "never",
                                       TENON_JSON({"type" : "object", "additionalProperties" : false, "properties" : {)
                                           TENON_RESTART_SUCCESS_PROPERTIES "}}"))
TENON_EXPORT_PLUGIN("never", "1.0.0",
                    {TENON_KIND_RESTART_POLICY, "never", tenon::sdk::restart_policy_table<Never>()})
