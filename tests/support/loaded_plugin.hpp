// A built plugin, loaded as the host loads it (RTLD_NOW | RTLD_LOCAL), and its tables by kind and name.
//
// Nothing is ever unloaded, as in the host: a LoadedPlugin is a view that may be copied and dropped. Every failure
// ends the program with a sentence, because a test without its plugin has nothing to say.
#pragma once

#include <tenon/health_check.h>
#include <tenon/restart_policy.h>
#include <tenon/serializer.h>
#include <tenon/transport.h>

#include <string>
#include <string_view>

namespace tenon::test_support {

class LoadedPlugin {
 public:
  // Opens the file and calls tenon_plugin_v1.
  static LoadedPlugin open_file(const std::string& path);
#ifdef TENON_PLUGIN_DIRECTORY
  // Opens TENON_PLUGIN_DIRECTORY/<name>.so.
  static LoadedPlugin open(const std::string& name) { return open_file(TENON_PLUGIN_DIRECTORY "/" + name + ".so"); }
#endif

  const tenon_plugin& description() const noexcept { return *plugin_; }
  const void* table(std::string_view kind, std::string_view name) const;
  const tenon_health_check& health_check(std::string_view name) const {
    return *static_cast<const tenon_health_check*>(table(TENON_KIND_HEALTH_CHECK, name));
  }
  const tenon_restart_policy& restart_policy(std::string_view name) const {
    return *static_cast<const tenon_restart_policy*>(table(TENON_KIND_RESTART_POLICY, name));
  }
  const tenon_serializer& serializer(std::string_view name) const {
    return *static_cast<const tenon_serializer*>(table(TENON_KIND_SERIALIZER, name));
  }
  const tenon_transport& transport(std::string_view name) const {
    return *static_cast<const tenon_transport*>(table(TENON_KIND_TRANSPORT, name));
  }

  // The text of the ELF note, found by its owner; not a checked reader.
  std::string note() const;

 private:
  LoadedPlugin(std::string path, const tenon_plugin* plugin) : path_(std::move(path)), plugin_(plugin) {}
  std::string path_;
  const tenon_plugin* plugin_;
};

}  // namespace tenon::test_support
