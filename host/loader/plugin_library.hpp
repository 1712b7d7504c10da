// A plugin's shared object inside this process.
//
// The model. Loading runs the plugin's constructors and calls tenon_plugin_v1 once. What that returns is compared with
// the note: name, version, ABI and components must agree, because config checks and `plugin list` rely on the note
// alone. Tables are completed (component_table.hpp). A component of a kind that this host does not know is left out; a
// file with nothing else is refused.
//
// Nothing is ever unloaded: error texts, thread-locals and library runtimes go on pointing into a library long after
// its last instance has gone. A retired library costs address space, no time. So the destructor of a PluginLibrary
// frees what the host knows about it and leaves it mapped; a refused library stays mapped, too.
//
// Everything is [loop]: loading takes some 70 µs, the copying before it is bounded by kMaxPluginFile.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "loader/call_trace.hpp"
#include "loader/component_table.hpp"
#include "loader/plugin_identity.hpp"
#include "loader/private_copy.hpp"

namespace tenon::loader {

struct LoadedComponent {
  std::string kind;
  std::string name;
  std::string schema;  // JSON Schema text of its config
  ComponentTable table;
};

class PluginLibrary {
 public:
  // Loads the copy under the name of `path`, the file it was made from, which messages, traces and listings use.
  // `identity` is what the copy's note says, already negotiated. errc::bad_data or unsupported, fault::plugin.
  static Result<std::shared_ptr<const PluginLibrary>> load(const PrivateCopy& copy, const std::string& path,
                                                           PluginIdentity identity,
                                                           const std::vector<KindDescription>& kinds, CallTrace& trace);

  const PluginIdentity& identity() const noexcept { return identity_; }
  const std::string& path() const noexcept { return path_; }  // of the original
  const Digest& content() const noexcept { return content_; }
  const std::string& traced_as() const noexcept { return traced_as_; }  // for CallTrace::enter
  const std::vector<LoadedComponent>& components() const noexcept { return components_; }
  // "kind/name" of those left out because this host knows no such kind.
  const std::vector<std::string>& unknown_components() const noexcept { return unknown_components_; }

 private:
  PluginLibrary(PluginIdentity identity, std::string path, Digest content);

  PluginIdentity identity_;
  std::string path_;
  Digest content_;
  std::string traced_as_;
  std::vector<LoadedComponent> components_;
  std::vector<std::string> unknown_components_;
};

}  // namespace tenon::loader
