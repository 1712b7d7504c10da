// Whether a plugin and this host understand each other. The host decides, never the author.
#pragma once

#include "common/result.hpp"
#include "loader/plugin_identity.hpp"

namespace tenon::loader {

// Accepts every minor version of the host's major: an older one gets its missing slots filled, of a newer one the host
// uses what it knows. Another major is refused (errc::unsupported, fault::plugin) with both versions and what to do.
Status negotiate(const PluginIdentity& plugin, AbiVersion host);

}  // namespace tenon::loader
