// Declares a plugin in one line per component:
//
//   TENON_PLUGIN_NOTE("mine", "1.0.0", "Example", "MIT",
//                     TENON_NOTE_COMPONENT(TENON_KIND_RESTART_POLICY, "mine", TENON_JSON({"type" : "object"})))
//   TENON_EXPORT_PLUGIN("mine", "1.0.0", {TENON_KIND_RESTART_POLICY, "mine", tenon::sdk::restart_policy_table<Mine>()})
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "../plugin.h"
#include "error.hpp"

#pragma GCC visibility push(hidden)

namespace tenon::sdk {

struct ComponentEntry {
  const char* kind;
  const char* name;
  const void* table;
};

// The static description of a plugin, built once on first use.
class PluginDescription {
 public:
  PluginDescription(const char* name, const char* version, std::initializer_list<ComponentEntry> entries) {
    for (const ComponentEntry& entry : entries) {
      tenon_component component;
      TENON_INIT(&component);
      component.kind = to_abi(entry.kind);
      component.name = to_abi(entry.name);
      component.table = entry.table;
      components_.push_back(component);
    }
    for (const tenon_component& component : components_) pointers_.push_back(&component);
    TENON_INIT(&plugin_);
    plugin_.abi_major = TENON_ABI_MAJOR;
    plugin_.abi_minor = TENON_ABI_MINOR;
    plugin_.name = to_abi(name);
    plugin_.version = to_abi(version);
    plugin_.component_count = static_cast<std::uint32_t>(pointers_.size());
    plugin_.components = pointers_.data();
  }
  const tenon_plugin* get() const noexcept { return &plugin_; }

 private:
  std::vector<tenon_component> components_;
  std::vector<const tenon_component*> pointers_;
  tenon_plugin plugin_;
};

}  // namespace tenon::sdk

#pragma GCC visibility pop

#define TENON_EXPORT_PLUGIN(name, version, ...)                                        \
  extern "C" TENON_EXPORT const tenon_plugin* tenon_plugin_v1(void) {                  \
    try {                                                                              \
      static const tenon::sdk::PluginDescription description(name, version, {__VA_ARGS__}); \
      return description.get();                                                        \
    } catch (...) {                                                                    \
      return nullptr;                                                                  \
    }                                                                                  \
  }
