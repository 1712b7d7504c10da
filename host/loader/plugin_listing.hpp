// One line of `tenon plugin list`, and what the system.plugin.* events carry.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::loader {

// loaded: at least one component of the file is in use or ready for it.
// rejected: the reason says why it cannot be used and what to do.
// shadowed: other files offer all its components in a higher version.
// retired: it was loaded; new instances use a newer content of the same file. Stays mapped.
// quarantined: it killed the engine; not touched until it changes.
enum class PluginState : std::uint8_t { loaded, rejected, shadowed, retired, quarantined };
std::string_view to_string(PluginState state) noexcept;

struct PluginListing {
  std::string name;     // empty if the file does not say
  std::string version;  // likewise
  std::string file;
  PluginState state = PluginState::rejected;
  std::string reason;                   // for people; empty if there is nothing to say
  std::vector<std::string> components;  // "kind/name", as in the note
};

}  // namespace tenon::loader
