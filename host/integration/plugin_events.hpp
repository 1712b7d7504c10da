// What happens to plugin files, told as system.plugin.* events and in the log.
#pragma once

#include "integration/plugin_front.hpp"
#include "integration/system_events.hpp"
#include "loader/plugin_registry.hpp"

namespace tenon::integration {

class PluginEvents final : public loader::PluginObserver {
 public:
  explicit PluginEvents(SystemEvents& events) : events_(events) {}
  void on_loaded(const loader::PluginListing& plugin) override;
  void on_rejected(const loader::PluginListing& plugin) override;
  void on_retired(const loader::PluginListing& plugin) override;
  void on_quarantined(const loader::PluginListing& plugin) override;
  void on_misbehaved(const PluginMisbehaviour& told);

 private:
  void tell(std::string_view type, const loader::PluginListing& plugin);
  SystemEvents& events_;
};

}  // namespace tenon::integration
