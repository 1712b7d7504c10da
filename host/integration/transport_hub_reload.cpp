// Other transports and routes for a hub that works.
#include <algorithm>

#include "common/logging.hpp"
#include "integration/transport_hub_impl.hpp"

namespace tenon::integration {

namespace {

const TransportConfig* named(const std::vector<TransportConfig>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const TransportConfig& t) { return t.name == name; });
  return found == all.end() ? nullptr : &*found;
}

bool goes_to(const RouteConfig& route, const std::string& transport) {
  return std::find(route.to.begin(), route.to.end(), transport) != route.to.end();
}

}  // namespace

void TransportHub::Impl::reload(std::vector<TransportConfig> transports, std::vector<RouteConfig> routes) {
  if (stopped_) return;
  transport_configs_ = std::move(transports);
  // Equal routes stay the same object: by that the rest knows them.
  std::vector<RouteRef> known = std::exchange(route_configs_, {});
  for (RouteConfig& route : routes) {
    const auto same = std::find_if(known.begin(), known.end(), [&](const RouteRef& old) { return *old == route; });
    if (same == known.end()) {
      route_configs_.push_back(std::make_shared<const RouteConfig>(std::move(route)));
    } else {
      route_configs_.push_back(*same);
      known.erase(same);
    }
  }
  std::vector<Transport*> staying;
  for (std::size_t i = 0; i < transports_.size();) {
    if (named(transport_configs_, transports_[i]->config.name) != nullptr) {
      staying.push_back(transports_[i++].get());
      continue;
    }
    leaving_.push_back(std::move(transports_[i]));
    transports_.erase(transports_.begin() + static_cast<std::ptrdiff_t>(i));
    leave(*leaving_.back());
  }
  for (Transport* t : staying) {
    change_routes(*t);
    if (const TransportConfig& fresh = *named(transport_configs_, t->config.name); t->config != fresh)
      reconnect(*t, fresh);
  }
  for (const TransportConfig& config : transport_configs_) {
    if (find(config.name) != nullptr) continue;
    Transport& t = add_transport(config);
    if (const Status added = add_routes(t); !added.ok())
      log::error("transport", "a route cannot be made; mend it and reload",
                 {{"transport", config.name}, {"why", added.error().message}});
    renew(t);
  }
}

// It takes nothing new, sends what waits, and goes.
void TransportHub::Impl::leave(Transport& t) {
  for (const auto& route : t.routes_out) route->retire();
  for (std::uint64_t subscription = 0; subscription < t.routes_in.size(); ++subscription)
    end_subscription(t, subscription);
  t.end = "its transport was removed from the config";
  t.gone = [this, &t] {
    std::erase_if(leaving_, [&t](const auto& one) { return one.get() == &t; });
  };
  drain(t, services_.loop.clock().monotonic() + kLeaveWithin);
}

// What is on its way has the transport's own timeout; what waits goes over the new connection.
void TransportHub::Impl::reconnect(Transport& t, const TransportConfig& config) {
  const Duration timeout = std::max<Duration>(t.config.timeout, std::chrono::seconds(1));
  t.config = config;
  t.retry = kFirstRetry;
  t.retry_timer.reset();
  t.health_timer.reset();
  for (const auto& route : t.routes_out) route->set_timeout(config.timeout);
  log::info("transport", "has another config and connects anew", {{"transport", config.name}});
  const auto again = [this, &t, alive = std::weak_ptr<int>(t.alive)](const Status&) {
    // In a later turn: a connection is not destroyed from within its own completion.
    services_.loop.post([this, &t, alive] {
      if (!alive.expired() && std::exchange(t.reconnecting, false) && !t.stopping) renew(t);
    });
  };
  if (std::exchange(t.reconnecting, true)) return;  // with the newest config, once the connection before is closed
  if (t.connection == nullptr) return again({});
  t.connection->disconnect(timeout, again);
}

void TransportHub::Impl::change_routes(Transport& t) {
  const auto stays = [this](const RouteConfig& route) {
    return std::any_of(route_configs_.begin(), route_configs_.end(), [&](const RouteRef& one) { return *one == route; });
  };
  for (std::size_t i = 0; i < t.routes_out.size();) {
    if (stays(t.routes_out[i]->config())) {
      ++i;
      continue;
    }
    retire(t, std::move(t.routes_out[i]));
    t.routes_out.erase(t.routes_out.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (std::uint64_t subscription = 0; subscription < t.routes_in.size(); ++subscription) {
    const RouteRef& route = t.routes_in[subscription];
    if (route != nullptr && !stays(*route)) end_subscription(t, subscription);
  }
  for (const RouteRef& route : route_configs_) {
    const auto is_same = [&](const auto& out) { return out->config() == *route; };
    if (goes_to(*route, t.config.name) && std::none_of(t.routes_out.begin(), t.routes_out.end(), is_same)) {
      const Status added = add_route_out(t, *route);
      if (!added.ok())
        log::error("transport", "a route cannot be made; mend it and reload",
                   {{"transport", t.config.name}, {"topic", route->topic}, {"why", added.error().message}});
      else if (t.connection != nullptr) t.routes_out.back()->use(*t.connection, *t.serializer);
    }
    if (route->from != t.config.name || std::find(t.routes_in.begin(), t.routes_in.end(), route) != t.routes_in.end())
      continue;
    t.routes_in.push_back(route);
    if (t.connection != nullptr) subscribe_one(t, t.routes_in.size() - 1);
  }
}

// Nothing comes in over it any more, whatever the remote still sends.
void TransportHub::Impl::end_subscription(Transport& t, std::uint64_t subscription) {
  if (std::exchange(t.routes_in[subscription], nullptr) == nullptr || t.connection == nullptr) return;
  t.connection->unsubscribe(subscription, t.config.timeout, [](const Status&) {});
}

// Until it is drained, or its time is over.
void TransportHub::Impl::retire(Transport& t, std::unique_ptr<TransportRoute> route) {
  route->retire();
  TransportRoute* const raw = route.get();
  t.routes_retired.push_back(std::move(route));
  const auto end = [&t, raw, alive = std::weak_ptr<int>(t.alive)] {
    if (alive.expired()) return;
    const auto at = std::find_if(t.routes_retired.begin(), t.routes_retired.end(),
                                 [raw](const auto& one) { return one.get() == raw; });
    if (at == t.routes_retired.end()) return;
    (*at)->close("its route was removed from the config");
    std::erase(t.receivers, raw->receiver());
    t.routes_retired.erase(at);
    if (t.look_whether_drained) t.look_whether_drained();
  };
  // In a turn of its own: the route that is destroyed may be the one that says that it is drained.
  const auto look = [this, raw, end] {
    if (raw->drained()) services_.loop.post(end);
  };
  raw->when_settled(look);
  retiring_.push_back(services_.loop.after(kLeaveWithin, end));
  std::erase_if(retiring_, [](const event::Handle& timer) { return !timer.active(); });
  look();
}

}  // namespace tenon::integration
