// What a plugin holds of its instance: the tenon_host table, and the way from its context to the instance behind it.
//
// The model. A front is made with its instance. While it is open, `instance` is the instance; at the end, once the
// plugin's destroy has returned, it is closed and kept among the last kRetired ones of the host. So a plugin whose
// thread goes on to call its host after destroy finds nobody there: the call does nothing, and counts by the plugin's
// name.
//
// Breaking a rule is counted in tenon_plugin_misbehaviour_total each time; how often it is logged and told
// (PluginEnvironment::plugin_misbehaved) is limited, for a plugin may break it in every call.
//
// Threads: `instance` is written on the loop thread under `lock`. The loop thread reads it as it is, every other
// thread holds `lock` shared for as long as it uses the instance.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

#include <tenon/host.h>

#include "event/rate_limiter.hpp"

namespace tenon::integration {

class PluginInstance;
struct PluginServices;

// Which rule of plugin-api a plugin broke; the name is part of metrics and events.
enum class PluginRule : std::uint8_t {
  late_completion,     // completed a call that was over: past its deadline, cancelled, or completed before
  unknown_completion,  // completed a call that was never made
  after_destroy,       // called the host after destroy had returned
  wrong_thread,        // called a [loop] function from another thread
  too_many_metrics,
  bad_metric,   // an illegal name, or another kind than before
  bad_struct,   // a struct_size that is too small
  bad_value,    // a number out of its range, or a pointer that must not be null
  wrong_kind,   // a report that is another kind's to make
};
std::string_view to_string(PluginRule rule) noexcept;

struct PluginMisbehaviour {
  std::string plugin;     // its name; of what is compiled in the component
  std::string component;  // kind/name
  std::string instance;
  PluginRule rule;
  std::string what;              // a sentence's predicate: "completed a call that was over"
  std::uint64_t suppressed = 0;  // how many more of this instance were counted but not told since the last one
};

struct PluginFront {
  static constexpr std::size_t kRetired = 256;  // closed fronts that the host keeps

  PluginFront(PluginServices& host_services, PluginInstance& behind) noexcept
      : services(host_services), instance(&behind) {}

  // Counts it; logs and tells it as far as the limit allows. [any]
  void misbehaved(PluginRule rule, std::string_view what) noexcept;
  void count(PluginRule rule) noexcept;  // without telling [any]
  // A call that came after destroy. [any]
  tenon_status late(std::string_view call) noexcept;

  tenon_host host{};  // its context is this front
  PluginServices& services;
  std::string plugin, component, name;
  std::shared_mutex lock;
  PluginInstance* instance;  // null: closed

 private:
  std::mutex telling_;
  event::RateLimiter told_{std::chrono::seconds(1), 10};
};

// Closes the front, and frees the one that was closed longest ago when there are too many. [loop]
void retire(std::unique_ptr<PluginFront> front) noexcept;

}  // namespace tenon::integration
