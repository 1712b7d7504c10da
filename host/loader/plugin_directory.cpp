#include "loader/plugin_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <sys/stat.h>

#include "common/secure_path.hpp"
#include "loader/negotiation.hpp"
#include "loader/open_directory.hpp"
#include "loader/plugin_file.hpp"

namespace tenon::loader {
namespace {

Result<PluginIdentity> read_and_negotiate(const Result<PluginFile>& file) {
  if (!file) return file.error();
  auto identity = file->identity();
  if (identity) TENON_TRY(negotiate(*identity, host_abi()));
  return identity;
}

bool offers(const PluginIdentity& identity, std::string_view kind, std::string_view name) {
  return std::any_of(identity.components.begin(), identity.components.end(),
                     [&](const ComponentIdentity& part) { return part.kind == kind && part.name == name; });
}

}  // namespace

bool is_plugin_file_name(std::string_view name) noexcept {
  constexpr std::string_view kEnding = ".so";
  return name.size() > kEnding.size() && name.ends_with(kEnding) && !name.starts_with('.');
}

Status check_plugin_directory(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) {
      return Error(errc::not_found,
                   "plugin directory " + path +
                       " does not exist: create it, or remove it from "
                       "plugins.directories",
                   fault::caller);
    }
    return Error::from_errno(errno, "plugin directory " + path);
  }
  if (!S_ISDIR(status.st_mode)) {
    return Error(errc::invalid_argument,
                 "plugin directory " + path +
                     " is not a directory: name the directory that holds "
                     "the *.so files",
                 fault::caller);
  }
  Status secure = check_secure_directory(path);
  if (!secure) return std::move(secure).error().with_context("plugin directory " + path);
  return {};
}

Result<std::vector<PluginPlace>> list_plugin_files(const std::string& path, std::uint32_t directory,
                                                   std::size_t limit) {
  const OpenDirectory open = open_directory(path);
  if (!open) return Error::from_errno(errno, "read the plugin directory " + path);
  std::vector<PluginPlace> places;
  errno = 0;
  while (const dirent* entry = ::readdir(open.get())) {
    if (!is_plugin_file_name(entry->d_name)) continue;
    if (places.size() >= limit) {
      return Error(errc::exhausted,
                   "plugin directory " + path + " holds more than " + std::to_string(limit) +
                       " plugins: move those that are not needed elsewhere",
                   fault::caller);
    }
    places.push_back({directory, path + "/" + entry->d_name});
  }
  if (errno != 0) return Error::from_errno(errno, "read the plugin directory " + path);
  std::sort(places.begin(), places.end());
  return places;
}

std::vector<SurveyedPlugin> survey_plugins(const std::vector<std::string>& directories) {
  std::vector<SurveyedPlugin> survey;
  for (std::uint32_t i = 0; i < directories.size(); ++i) {
    auto places = list_plugin_files(directories[i], i);
    if (!places) continue;
    for (PluginPlace& place : *places) {
      auto identity = read_and_negotiate(PluginFile::open(place.path));
      survey.push_back({std::move(place), std::move(identity)});
    }
  }
  return survey;
}

const SurveyedPlugin* find_offer(const std::vector<SurveyedPlugin>& survey, std::string_view kind,
                                 std::string_view name) {
  const SurveyedPlugin* best = nullptr;
  for (const SurveyedPlugin& plugin : survey) {
    if (!plugin.identity || !offers(*plugin.identity, kind, name)) continue;
    // The survey is in order of preference, so only a higher version displaces what stands before it.
    if (best == nullptr || plugin.identity->version > best->identity->version) best = &plugin;
  }
  return best;
}

Result<PluginIdentity> inspect_plugin(const std::string& path) {
  return read_and_negotiate(PluginFile::open_for_inspection(path));
}

}  // namespace tenon::loader
