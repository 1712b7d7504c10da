#include "loader/plugin_listing.hpp"

namespace tenon::loader {

std::string_view to_string(PluginState state) noexcept {
  switch (state) {
    case PluginState::loaded: return "loaded";
    case PluginState::rejected: return "rejected";
    case PluginState::shadowed: return "shadowed";
    case PluginState::retired: return "retired";
    case PluginState::quarantined: return "quarantined";
  }
  return "rejected";
}

}  // namespace tenon::loader
