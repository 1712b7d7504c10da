// Health check plugins as the runtime's HealthCheck.
#pragma once

#include "integration/plugin_instance.hpp"
#include "loader/plugin_registry.hpp"
#include "runtime/health_check.hpp"

namespace tenon::integration {

class PluginHealthChecks final : public runtime::HealthCheckFactory {
 public:
  PluginHealthChecks(PluginServices& services, const loader::PluginRegistry& registry)
      : services_(services), registry_(registry) {}
  Result<std::unique_ptr<runtime::HealthCheck>> make(const runtime::ProcessId& process, const std::string& check,
                                                     const std::string& config_json) override;

 private:
  PluginServices& services_;
  const loader::PluginRegistry& registry_;
};

}  // namespace tenon::integration
