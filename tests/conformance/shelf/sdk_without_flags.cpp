// Nothing wrong with this one: what the SDK defines is hidden by the SDK, whatever flags its author forgets.
#include <tenon/sdk/plugin.hpp>
#include <tenon/sdk/restart_policy.hpp>

TENON_PLUGIN_NOTE("sdk", SHELF_VERSION, "Shelf", "MIT",
                  TENON_NOTE_COMPONENT("restart_policy", "sdk", TENON_JSON({"type" : "object"})))

class Policy {
 public:
  explicit Policy(tenon::sdk::Host) {}
  tenon::sdk::Decision on_exit(const tenon_exit&) const {
    tenon::sdk::Decision decision;
    decision.text = SHELF_VERSION;
    return decision;
  }
};

TENON_EXPORT_PLUGIN("sdk", SHELF_VERSION,
                    {TENON_KIND_RESTART_POLICY, "sdk", tenon::sdk::restart_policy_table<Policy>()})
