// A component by kind and name, independent of which file and version offers it at the moment.
#pragma once

#include <memory>
#include <string>

#include "loader/plugin_library.hpp"

namespace tenon::loader {

// One version of a component: a table to call and the library behind it. Who makes instances keeps the shared_ptr for
// as long as they live, and destroys them through the same table that made them.
struct ComponentVersion {
  std::shared_ptr<const PluginLibrary> library;  // owns `part`
  const LoadedComponent* part = nullptr;

  const void* table() const noexcept { return part->table.get(); }
  const std::string& schema() const noexcept { return part->schema; }
  const PluginIdentity& plugin() const noexcept { return library->identity(); }
};

// A stable handle: lives as long as its registry, while versions come and go. [loop]
class Component {
 public:
  // Without a version: nothing offers it yet.
  Component(std::string kind, std::string name, std::shared_ptr<const ComponentVersion> version = nullptr)
      : kind_(std::move(kind)), name_(std::move(name)), current_(std::move(version)) {}
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;

  const std::string& kind() const noexcept { return kind_; }
  const std::string& name() const noexcept { return name_; }
  std::string id() const { return component_id(kind_, name_); }
  // The version that new instances are made with; null while nothing offers the component.
  const std::shared_ptr<const ComponentVersion>& current() const noexcept { return current_; }

 private:
  friend class PluginRegistry;
  std::string kind_, name_;
  std::shared_ptr<const ComponentVersion> current_;
};

}  // namespace tenon::loader
