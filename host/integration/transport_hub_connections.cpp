// A transport's connection: made, connected, watched, and made anew when it gives up.
#include <algorithm>

#include "common/json_writer.hpp"
#include "common/logging.hpp"
#include "integration/transport_hub_impl.hpp"

namespace tenon::integration {

Status TransportHub::Impl::make_connection(Transport& t) {
  const TransportConfig& config = t.config;
  const loader::Component* component = services_.registry.find(TENON_KIND_TRANSPORT, config.plugin);
  if (component == nullptr || component->current() == nullptr)
    return Error(errc::not_found, services_.registry.why_missing(TENON_KIND_TRANSPORT, config.plugin), fault::caller)
        .with_context("transport " + config.name);
  PluginTransport::Events events;
  events.state = [this, &t](TransportState state, const Status& why) { state_changed(t, state, why); };
  events.incoming = [this, &t](IncomingMessage message) { incoming(t, std::move(message)); };
  events.slow_consumer = [&t](std::uint64_t, std::uint64_t dropped) {
    t.dropped += dropped;
    log::warn("transport", "the connection dropped events because this host reads too slowly",
              {{"transport", t.config.name}, {"dropped", dropped}});
  };
  events.back_pressure = [&t](bool on) {
    for (const auto& route : t.routes_out) route->set_back_pressure(on);
    for (const auto& route : t.routes_retired) route->set_back_pressure(on);
  };
  auto connection = PluginTransport::make(services_.plugins, *component, config, std::move(events));
  if (!connection.ok()) return std::move(connection).error();
  t.connection = std::move(*connection);
  Status written = make_serializer(t);
  if (!written.ok()) t.connection.reset();  // nothing could be sent over it
  return written;
}

// Anew only if the plugin, another version of it now, wants another.
Status TransportHub::Impl::make_serializer(Transport& t) {
  std::string name = t.config.serializer.empty() ? t.connection->default_serializer() : t.config.serializer;
  if (name.empty()) name = "json";
  if (t.serializer != nullptr && name == t.serializer_name) return {};
  auto serializer = services_.serializers.make(name, t.config.name);
  if (!serializer.ok()) return std::move(serializer).error();
  t.serializer = std::move(*serializer);
  t.serializer_name = std::move(name);
  return {};
}

void TransportHub::Impl::open(Transport& t) {
  for (const auto& route : t.routes_out) route->use(*t.connection, *t.serializer);
  for (const auto& route : t.routes_retired) route->use(*t.connection, *t.serializer);
  subscribe(t);
  connect(t);
}

void TransportHub::Impl::subscribe(Transport& t) {
  for (std::uint64_t subscription = 0; subscription < t.routes_in.size(); ++subscription)
    if (t.routes_in[subscription] != nullptr) subscribe_one(t, subscription);
}

void TransportHub::Impl::subscribe_one(Transport& t, std::uint64_t subscription) {
  const RouteRef route = t.routes_in[subscription];
  t.connection->subscribe(subscription, route->topic, route->group, t.config.timeout, [&t, route](Status status) {
    if (!status.ok() && status.error().code != errc::cancelled)
      log::error("transport", "a subscription was refused",
                 {{"transport", t.config.name}, {"topic", route->topic}, {"why", status.error().message}});
  });
}

void TransportHub::Impl::connect(Transport& t) {
  t.connection->connect(std::max<Duration>(t.config.timeout, std::chrono::seconds(1)), [this, &t](Status status) {
    if (t.stopping || (!status.ok() && status.error().code == errc::cancelled)) return;
    if (status.ok()) {
      if (t.config.health_interval.count() > 0)
        t.health_timer = services_.loop.every(t.config.health_interval, [this, &t] { check_health(t); });
      return;
    }
    t.problem = status.error().message;
    try_later(t, "cannot connect; trying again");
  });
}

// Later each time, until a connection has held for as long as the longest pause.
void TransportHub::Impl::try_later(Transport& t, std::string_view what) {
  if (t.stopping || t.retry_timer.active()) return;
  const auto connected_at = std::exchange(t.connected_at, std::nullopt);
  if (connected_at && services_.loop.clock().monotonic() - *connected_at >= kLongestRetry) t.retry = kFirstRetry;
  log::warn("transport", what,
            {{"transport", t.config.name}, {"why", t.problem}, {"in_ms", t.retry.count() / 1'000'000}});
  t.retry_timer = services_.loop.after(t.retry, [this, &t] {
    t.retry_timer.reset();
    if (t.state() == TransportState::error) renew(t);
    else connect(t);
  });
  t.retry = std::min(t.retry * 2, kLongestRetry);
}

// A connection that gave up can only be destroyed. What was on its way over it returns to its mailbox or is
// dead-lettered, what waits goes over the next one.
void TransportHub::Impl::renew(Transport& t) {
  for (const auto& route : t.routes_out) route->drop();
  for (const auto& route : t.routes_retired) route->drop();
  t.health_timer.reset();
  t.retry_timer.reset();
  t.connection.reset();
  t.health = "unknown";
  const Status made = make_connection(t);
  if (made.ok()) return open(t);
  t.problem = made.error().message;
  tell_state(t, TransportState::error);
  try_later(t, "cannot be made; what its routes take waits, and it is tried again");
}

void TransportHub::Impl::check_health(Transport& t) {
  t.connection->health_check(t.config.health_timeout, [&t](Status status) {
    t.health = status.ok() ? "healthy" : "unhealthy: " + status.error().message;
  });
}

void TransportHub::Impl::state_changed(Transport& t, TransportState state, const Status& why) {
  t.since = services_.loop.clock().monotonic();
  t.problem = state == TransportState::connected ? "" : why.ok() ? std::string() : why.error().message;
  tell_state(t, state);
  if (state == TransportState::connected) t.connected_at = t.since;
  if (state == TransportState::error) try_later(t, "gave up; a new connection is made");
  // In a turn of its own: the report may come from within a call that a route is making.
  services_.loop.post([&t, alive = std::weak_ptr<int>(t.alive)] {
    if (alive.expired()) return;  // the host has ended
    if (t.look_whether_drained) t.look_whether_drained();
    for (const auto& route : t.routes_out) route->wake();
    for (const auto& route : t.routes_retired) route->wake();
  });
}

// One that is not connected yet, or has been told to be gone, is not told to be gone again with each attempt.
void TransportHub::Impl::tell_state(Transport& t, TransportState state) {
  const char* type = nullptr;
  if (state == TransportState::connected) type = "system.transport.connected", t.told_gone = false;
  if (state == TransportState::reconnecting) type = "system.transport.reconnecting";
  const bool gone = (state == TransportState::disconnected && t.was_connected) || state == TransportState::error;
  if (gone && !std::exchange(t.told_gone, true)) type = "system.transport.disconnected";
  if (state == TransportState::connected) t.was_connected = true;
  if (type == nullptr) return;
  log::info("transport", to_string(state), {{"transport", t.config.name}, {"why", t.problem}});
  services_.events.publish(type, t.config.name, [&] {
    JsonWriter json;
    json.begin_object().member("transport", t.config.name).member("plugin", t.config.plugin);
    json.member("state", to_string(state)).member("reason", t.problem);
    return json.end_object().take();
  });
}

}  // namespace tenon::integration
