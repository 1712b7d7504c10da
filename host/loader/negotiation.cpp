#include "loader/negotiation.hpp"

#include <string>

namespace tenon::loader {

Status negotiate(const PluginIdentity& plugin, AbiVersion host) {
  if (plugin.abi.major == host.major) return {};
  const std::string host_major = std::to_string(host.major);
  const std::string plugin_major = std::to_string(plugin.abi.major);
  std::string sentence = "plugin " + plugin.name + " " + plugin.version.text() + " is built for ABI " +
                         to_string(plugin.abi) + ", this host speaks ABI " + to_string(host) + ": ";
  if (plugin.abi.major > host.major) {
    sentence += "update the host to a release that speaks ABI " + plugin_major +
                ", or install the plugin's build for ABI " + host_major;
  } else {
    sentence += "install a newer release of the plugin, or build it with the headers of ABI " + host_major;
  }
  return Error(errc::unsupported, std::move(sentence), fault::plugin);
}

}  // namespace tenon::loader
