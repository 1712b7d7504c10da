#include "integration/plugin_front.hpp"

#include "common/logging.hpp"
#include "integration/plugin_instance.hpp"

namespace tenon::integration {

std::string_view to_string(PluginRule rule) noexcept {
  switch (rule) {
    case PluginRule::late_completion: return "late_completion";
    case PluginRule::unknown_completion: return "unknown_completion";
    case PluginRule::after_destroy: return "after_destroy";
    case PluginRule::wrong_thread: return "wrong_thread";
    case PluginRule::too_many_metrics: return "too_many_metrics";
    case PluginRule::bad_metric: return "bad_metric";
    case PluginRule::bad_struct: return "bad_struct";
    case PluginRule::bad_value: return "bad_value";
    case PluginRule::wrong_kind: return "wrong_kind";
  }
  return "unknown";
}

void PluginFront::count(PluginRule rule) noexcept {
  try {
    auto family = services.metrics.atomic_counters({"tenon_plugin_misbehaviour_total",
                                                    "How often a plugin broke a rule of its interface.",
                                                    {"plugin", "component", "rule"}});
    if (family.ok()) family->with({plugin, component, std::string(to_string(rule))}).add();
  } catch (...) {  // out of memory: a count less
  }
}

void PluginFront::misbehaved(PluginRule rule, std::string_view what) noexcept {
  count(rule);
  try {
    PluginMisbehaviour told{plugin, component, name, rule, std::string(what)};
    {
      const std::scoped_lock hold(telling_);
      if (!told_.allow(services.loop.clock().monotonic())) return;
      told.suppressed = told_.take_refused();
    }
    log::warn("plugin", "misbehaved", {{"plugin", plugin},
                                       {"component", component},
                                       {"instance", name},
                                       {"rule", to_string(rule)},
                                       {"what", what},
                                       {"suppressed", told.suppressed}});
    // In a turn of its own: the plugin is in the middle of a call, and who is told may do anything.
    services.loop.post([told = std::move(told), &host = services, alive = std::weak_ptr<int>(services.alive)] {
      if (!alive.expired()) host.environment.plugin_misbehaved(told);
    });
  } catch (...) {  // out of memory: counted all the same
  }
}

tenon_status PluginFront::late(std::string_view call) noexcept {
  try {
    misbehaved(PluginRule::after_destroy, "called " + std::string(call) + " after destroy had returned");
  } catch (...) {
  }
  return TENON_ERR_CANCELLED;
}

void retire(std::unique_ptr<PluginFront> front) noexcept {
  if (front == nullptr) return;
  {
    const std::unique_lock hold(front->lock);
    front->instance = nullptr;
  }
  auto& retired = front->services.retired_fronts;
  try {
    retired.push_back(std::move(front));
  } catch (...) {
    static_cast<void>(front.release());  // rather lost than freed under a thread that may still call it
  }
  if (retired.size() > PluginFront::kRetired) retired.pop_front();
}

}  // namespace tenon::integration
