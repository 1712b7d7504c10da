#include "app/safe_mode.hpp"

#include <algorithm>

#include "common/logging.hpp"
#include "loader/plugin_directory.hpp"

namespace tenon::app {

bool wants_safe_mode(std::uint64_t recent_restarts, const integration::HostConfig& config) {
  if (recent_restarts < kCrashesBeforeSafeMode || config.own_plugin_directory.empty()) return false;
  const auto own = loader::survey_plugins({config.own_plugin_directory});
  for (const auto& [id, worker] : config.workers) {
    if (worker->channel.kind == runtime::ChannelKind::none) continue;
    if (loader::find_offer(own, "serializer", worker->channel.serializer) != nullptr) continue;
    log::warn("engine", "no safe mode: a process needs a serializer that did not come with the host",
              {{"process", id}, {"serializer", worker->channel.serializer}});
    return false;
  }
  return true;
}

}  // namespace tenon::app
