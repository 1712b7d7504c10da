// What lies in the plugin directories, before anything of it is loaded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "loader/plugin_identity.hpp"
#include "loader/plugin_registry.hpp"

namespace tenon::loader {

// "x.so", but not ".x.so": names that begin with a dot are what copying tools use while they write.
bool is_plugin_file_name(std::string_view name) noexcept;

// Plugins load only from an existing directory that no other user can write. errc::not_found, invalid_argument (not a
// directory) or permission, fault::caller, with what to do. For `tenon check`, and before a host starts.
Status check_plugin_directory(const std::string& path);

// The plugin files of a directory, by name, at most `limit`; errc::exhausted beyond. `directory` is its position in the
// configured list.
Result<std::vector<PluginPlace>> list_plugin_files(const std::string& path, std::uint32_t directory,
                                                   std::size_t limit = PluginRegistry::kMaxFiles);

// One file as `tenon check` and `tenon plugin info` see it; nothing of it was run.
struct SurveyedPlugin {
  PluginPlace place;
  Result<PluginIdentity> identity;  // or why a host would reject the file
};
// Every plugin file of every directory, in the order in which a host would prefer equal versions. Directories that
// cannot be read have none: check_plugin_directory says why.
std::vector<SurveyedPlugin> survey_plugins(const std::vector<std::string>& directories);
// The one that a host would load for the component; null if none offers it.
const SurveyedPlugin* find_offer(const std::vector<SurveyedPlugin>& survey, std::string_view kind,
                                 std::string_view name);

// Opens a file, whoever may write it, and reads and negotiates its note. For `tenon plugin info FILE`.
Result<PluginIdentity> inspect_plugin(const std::string& path);

}  // namespace tenon::loader
