#include "runtime/health_check.hpp"

namespace tenon::runtime {

std::string_view to_string(HealthState state) noexcept {
  switch (state) {
    case HealthState::healthy: return "healthy";
    case HealthState::degraded: return "degraded";
    case HealthState::unhealthy: return "unhealthy";
  }
  return "unknown";
}

std::string_view to_string(HealthRole role) noexcept {
  switch (role) {
    case HealthRole::liveness: return "liveness";
    case HealthRole::readiness: return "readiness";
    case HealthRole::startup: return "startup";
  }
  return "unknown";
}

}  // namespace tenon::runtime
