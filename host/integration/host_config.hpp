// Everything that a config file says, checked, as plain values. Made by the app; read by whoever builds the host.
//
// Paths are absolute, durations and sizes are numbers, defaults are filled in, names are known to exist where the config can
// tell. What belongs to a process's life stands in the runtime's own structs; what belongs to its events stands here, by
// process id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/logging.hpp"
#include "message/dispatcher.hpp"
#include "runtime/supervisor_config.hpp"

namespace tenon::integration {

enum class Framing : std::uint8_t { line, packet4 };

struct ChannelConfig {
  runtime::ChannelKind kind = runtime::ChannelKind::none;
  Framing framing = Framing::line;           // line only with stdio and json; a socket is always packet4
  std::string serializer = "json";           // a serializer component's name
  std::size_t max_event = 1024 * 1024;       // octets of one encoded event, 64 … 64 MiB
  bool data_as_bytes = false;                // "data": "bytes"
  bool operator==(const ChannelConfig&) const = default;
};

struct SubscriptionConfig {
  std::string topic;  // a legal pattern
  std::string group;  // empty: plain
  bool operator==(const SubscriptionConfig&) const = default;
};

// What one process has to do with events. Kept for processes without a channel too (they have none of it).
struct WorkerConfig {
  ChannelConfig channel;
  std::vector<SubscriptionConfig> subscribe;
  std::vector<std::string> publish;  // patterns; empty: anything but system. and tenon.
  bool may_publish = true;           // false: "publish" is an empty list, so nothing at all
  bool echo = false;
  message::MailboxConfig mailbox;
  message::DeliveryConfig delivery;
  bool operator==(const WorkerConfig&) const = default;
};

// `config`, where it equals the latest one in the latter's place: ten thousand children of one kind keep one copy.
inline std::shared_ptr<const WorkerConfig> share_equal(std::shared_ptr<const WorkerConfig>& latest,
                                                       const WorkerConfig& config) {
  if (!latest || *latest != config) latest = std::make_shared<const WorkerConfig>(config);
  return latest;
}

struct PoolConfig {
  std::uint32_t min = 1, max = 1;
  Duration acquire_timeout = std::chrono::seconds(1);
  Duration idle_timeout = std::chrono::seconds(60);
  Duration max_lifetime = std::chrono::minutes(30);
  bool operator==(const PoolConfig&) const = default;
};

struct BreakerConfig {
  double failure_rate = 0.5;  // 0 < rate ≤ 1
  Duration slow_call{0};      // 0: slow calls do not count
  std::uint32_t window = 20;  // calls
  std::uint32_t minimum_calls = 10;
  Duration open_for = std::chrono::seconds(5);
  std::uint32_t half_open_calls = 3;
  bool operator==(const BreakerConfig&) const = default;
};

struct TransportConfig {
  std::string name;    // "bus"
  std::string plugin;  // a transport component's name
  std::string url;
  Duration timeout = std::chrono::seconds(2);
  std::uint32_t retry_attempts = 5;
  std::string serializer;  // empty: the transport's default
  PoolConfig pool;
  std::optional<BreakerConfig> circuit_breaker;
  Duration health_interval{0};  // 0: no health check
  Duration health_timeout = std::chrono::seconds(1);
  std::string config = "{}";    // the plugin's own, a JSON object as text
  bool operator==(const TransportConfig&) const = default;
};

// Exactly one of `to` (events out) and `from` (subscribed at the transport) is set.
struct RouteConfig {
  std::string topic;             // a legal pattern
  std::vector<std::string> to;   // transport names
  std::string from;              // a transport name
  std::string as;                // a topic with {topic} in it; empty: as it is
  std::string group;             // with `from`: a queue group at the transport
  bool direct = false;           // with `from`: `target` counts
  message::MailboxConfig mailbox;
  message::DeliveryConfig delivery;
  bool operator==(const RouteConfig&) const = default;
};

enum class SchemaMode : std::uint8_t { enforce, warn, off };

struct ControlConfig {
  std::string socket;                  // absolute
  std::string http_listen;             // "127.0.0.1:7070"; empty: none
  std::string http_token_file;
  bool operator==(const ControlConfig&) const = default;
};

struct HostConfig {
  std::string file;  // the main config file, absolute
  std::string node;
  std::vector<std::string> plugin_directories;
  std::string own_plugin_directory;  // the one among them that came with the host; empty: none was found
  bool watch_plugins = true;
  ControlConfig control;
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::text;
  Duration hang_timeout = std::chrono::seconds(10);
  std::size_t event_limit = 256u * 1024 * 1024;  // limits.events
  Duration request_timeout = std::chrono::seconds(30);
  Duration block_for = std::chrono::seconds(5);
  std::size_t dead_letter_capacity = 10'000;
  std::vector<std::string> schema_directories;
  SchemaMode schema_mode = SchemaMode::enforce;
  std::vector<TransportConfig> transports;
  std::vector<RouteConfig> routes;
  std::shared_ptr<const runtime::SupervisorConfig> supervision;  // never null
  std::map<std::string, std::shared_ptr<const WorkerConfig>> workers;  // by process id; never null
};

}  // namespace tenon::integration
