// Safe mode: an engine that cannot stay up tries without plugins that did not come with the host.
//
// A crash inside a plugin's call is found by the breadcrumb, and its file quarantined. What crashes elsewhere (in a
// thread of the plugin's own, by memory that it spoiled) has no name; after kCrashes ends in the keeper's last minute the
// next engine therefore uses only the host's own plugins. Processes whose policy is missing then get the built-in
// back-off, checks and transports that are missing say so. The first engine that starts when there were fewer, after a
// minute and by `tenon upgrade` for instance, uses all plugins again.
#pragma once

#include <cstdint>

#include "integration/host_config.hpp"

namespace tenon::app {

inline constexpr std::uint64_t kCrashesBeforeSafeMode = 5;

// `recent_restarts`: Hello::recent_restarts. False too where it would do harm: if the host's own plugins lack a
// serializer that a process needs, its channel could not be taken over.
bool wants_safe_mode(std::uint64_t recent_restarts, const integration::HostConfig& config);

}  // namespace tenon::app
