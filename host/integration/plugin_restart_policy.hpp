// Restart policy plugins as the runtime's RestartPolicy.
#pragma once

#include "integration/plugin_instance.hpp"
#include "loader/plugin_registry.hpp"
#include "runtime/restart_policy.hpp"

namespace tenon::integration {

class PluginRestartPolicies final : public runtime::RestartPolicyFactory {
 public:
  PluginRestartPolicies(PluginServices& services, const loader::PluginRegistry& registry)
      : services_(services), registry_(registry) {}
  Result<std::unique_ptr<runtime::RestartPolicy>> make(const std::string& name, const std::string& config_json) override;

 private:
  PluginServices& services_;
  const loader::PluginRegistry& registry_;
};

}  // namespace tenon::integration
