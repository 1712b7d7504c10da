#include "integration/plugin_events.hpp"

#include "common/json_writer.hpp"
#include "common/logging.hpp"

namespace tenon::integration {

void PluginEvents::tell(std::string_view type, const loader::PluginListing& plugin) {
  events_.publish(type, plugin.file, [&] {
    JsonWriter json;
    json.begin_object().member("name", plugin.name).member("version", plugin.version).member("file", plugin.file);
    json.member("state", to_string(plugin.state)).member("reason", plugin.reason).key("components").begin_array();
    for (const std::string& component : plugin.components) json.value(component);
    return json.end_array().end_object().take();
  });
}

void PluginEvents::on_loaded(const loader::PluginListing& plugin) {
  log::debug("loader", "loaded", {{"plugin", plugin.name}, {"version", plugin.version}, {"file", plugin.file}});
  tell("system.plugin.loaded", plugin);
}

void PluginEvents::on_rejected(const loader::PluginListing& plugin) {
  log::warn("loader", "rejected", {{"file", plugin.file}, {"reason", plugin.reason}});
  tell("system.plugin.rejected", plugin);
}

void PluginEvents::on_retired(const loader::PluginListing& plugin) {
  log::info("loader", "retired", {{"plugin", plugin.name}, {"version", plugin.version}, {"file", plugin.file}});
  tell("system.plugin.retired", plugin);
}

// The log has it from where it happened.
void PluginEvents::on_misbehaved(const PluginMisbehaviour& told) {
  events_.publish("system.plugin.misbehaved", told.component, [&] {
    JsonWriter json;
    json.begin_object().member("plugin", told.plugin).member("component", told.component);
    json.member("instance", told.instance).member("rule", to_string(told.rule)).member("reason", told.what);
    return json.member("suppressed", told.suppressed).end_object().take();
  });
}

// Quarantine is a way of being rejected that everybody who watches for rejections must see.
void PluginEvents::on_quarantined(const loader::PluginListing& plugin) {
  log::error("loader", "quarantined", {{"file", plugin.file}, {"reason", plugin.reason}});
  tell("system.plugin.rejected", plugin);
}

}  // namespace tenon::integration
