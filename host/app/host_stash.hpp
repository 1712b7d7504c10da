// Under which names the host keeps its own things with the keeper.
#pragma once

#include <string_view>

namespace tenon::app {

inline constexpr std::string_view kConfigKey = "config";         // the sources of the config in force
inline constexpr std::string_view kScalesKey = "scales";         // replicas that operators asked for
inline constexpr std::string_view kSchemasKey = "schemas";       // texts of the schemas in force
inline constexpr std::string_view kTokenKey = "control-token";   // of the TCP listener
inline constexpr std::string_view kStartedKey = "started";       // an engine of this keeper has started something
inline constexpr std::string_view kQuarantineKey = "quarantine";
inline constexpr std::string_view kLogJournalKey = "log-journal";  // what is being read of logs
inline constexpr std::string_view kPluginPrefix = "plugin/";

}  // namespace tenon::app
