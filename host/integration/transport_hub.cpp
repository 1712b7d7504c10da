#include "integration/transport_hub.hpp"

#include <algorithm>

#include "common/encoding.hpp"
#include "common/json_writer.hpp"
#include "common/logging.hpp"
#include "integration/transport_hub_impl.hpp"

namespace tenon::integration {

namespace {

// Credentials in a url are nobody's business but the transport's.
std::string without_credentials(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t at = url.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos || at < scheme) return url;
  return url.substr(0, scheme + 3) + "***@" + url.substr(at + 1);
}

}  // namespace

TransportHub::Impl::Impl(Services services, std::vector<TransportConfig> transports, std::vector<RouteConfig> routes)
    : services_(std::move(services)), transport_configs_(std::move(transports)) {
  for (RouteConfig& route : routes) route_configs_.push_back(std::make_shared<const RouteConfig>(std::move(route)));
  const std::uint64_t random = random_u64();
  run_ = hex_encode({reinterpret_cast<const char*>(&random), 4});
}

TransportHub::Impl::Transport* TransportHub::Impl::find(std::string_view name) {
  for (const auto& t : transports_)
    if (t->config.name == name) return t.get();
  return nullptr;
}

Status TransportHub::Impl::start() {
  add_transports();
  for (const auto& t : transports_) TENON_TRY(add_routes(*t));
  for (const auto& t : transports_) TENON_TRY(make_connection(*t));
  for (const auto& t : transports_) open(*t);
  return {};
}

void TransportHub::Impl::take_over() {
  add_transports();
  for (const auto& t : transports_) {
    if (const Status added = add_routes(*t); !added.ok())
      log::error("transport", "a route of the former engine cannot be made; restart the host to have it again",
                 {{"transport", t->config.name}, {"why", added.error().message}});
    renew(*t);
  }
}

void TransportHub::Impl::add_transports() {
  for (const TransportConfig& config : transport_configs_) add_transport(config);
}

TransportHub::Impl::Transport& TransportHub::Impl::add_transport(const TransportConfig& config) {
  auto t = std::make_unique<Transport>();
  t->config = config;
  t->policy.name = config.name;
  t->policy.source_uri = "//" + services_.node + "/" + config.name;
  t->policy.foreign = true;
  return *transports_.emplace_back(std::move(t));
}

Status TransportHub::Impl::add_routes(Transport& t) {
  for (const RouteRef& route : route_configs_) {
    if (route->from == t.config.name) t.routes_in.push_back(route);
    if (std::find(route->to.begin(), route->to.end(), t.config.name) == route->to.end()) continue;
    TENON_TRY(add_route_out(t, *route));
  }
  return {};
}

Status TransportHub::Impl::add_route_out(Transport& t, const RouteConfig& config) {
  const auto answered_over = [this, &t](const std::string& id, const std::string& replyto, IncomingMessage answer) {
    answered(t, id, replyto, std::move(answer));
  };
  TransportRoute::Services services{services_.loop,         services_.router,      services_.budget,
                                    services_.dead_letters, services_.serializers, services_.request_timeout,
                                    services_.node,         run_,                  answered_over};
  auto route = std::make_unique<TransportRoute>(std::move(services), config, t.config.name, t.config.timeout);
  TENON_TRY(route->subscribe());
  t.receivers.push_back(route->receiver());
  t.routes_out.push_back(std::move(route));
  return {};
}

// --- ending ---

void TransportHub::Impl::stop(Duration bound, std::function<void()> done) {
  stopped_ = std::move(done);
  stopping_ = transports_.size() + leaving_.size() + 1;
  const MonotonicTime deadline = services_.loop.clock().monotonic() + bound;
  stop_timer_ = services_.loop.after(bound + std::chrono::seconds(1), [this] { stopped(); });
  for (const auto& t : leaving_) t->gone = [this] { one_less_to_stop(); };  // they are at it already
  for (const auto& t : transports_) {
    t->gone = [this] { one_less_to_stop(); };
    drain(*t, deadline);
  }
  one_less_to_stop();
}

// First what waits, as long as the connection can take it; then the connection, with what it has buffered itself.
void TransportHub::Impl::drain(Transport& t, MonotonicTime deadline) {
  t.stopping = true;
  t.retry_timer.reset();
  t.health_timer.reset();
  const auto on_its_way = [&t] {
    return t.state() == TransportState::connected &&
           (std::any_of(t.routes_out.begin(), t.routes_out.end(), [](const auto& route) { return !route->drained(); }) ||
            !t.routes_retired.empty());
  };
  const Duration left = deadline - services_.loop.clock().monotonic();
  const auto look = [this, &t, deadline, on_its_way] {
    if (t.disconnecting || on_its_way()) return;
    disconnect(t, deadline);
  };
  for (const auto& route : t.routes_out) route->when_settled(look);
  t.look_whether_drained = look;
  // Half of the time, so that what the connection itself has buffered keeps the other half.
  t.retry_timer = services_.loop.after(left / 2, [this, &t, deadline] { disconnect(t, deadline); });
  look();
}

void TransportHub::Impl::disconnect(Transport& t, MonotonicTime deadline) {
  if (std::exchange(t.disconnecting, true)) return;
  t.retry_timer.reset();
  // In a later turn: completions that came before this one settle their events in turns of their own.
  const auto gone = [this, &t](const Status&) {
    services_.loop.post([&t, alive = std::weak_ptr<int>(t.alive)] {
      if (alive.expired()) return;
      for (const auto& route : t.routes_out) route->close(t.end);
      for (const auto& route : t.routes_retired) route->close(t.end);
      if (t.gone) std::exchange(t.gone, nullptr)();
    });
  };
  if (t.connection == nullptr) return gone({});
  t.connection->disconnect(std::max<Duration>(deadline - services_.loop.clock().monotonic(), Duration(0)), gone);
}

void TransportHub::Impl::one_less_to_stop() {
  if (stopping_ != 0 && --stopping_ == 0) stopped();
}

// Once: the last transport and the timer may both get here.
void TransportHub::Impl::stopped() {
  stopping_ = 0;
  stop_timer_.reset();
  for (const auto* all : {&transports_, &leaving_}) {
    for (const auto& t : *all) {
      for (const auto& route : t->routes_out) route->close();
      for (const auto& route : t->routes_retired) route->close();
    }
  }
  if (auto callback = std::exchange(stopped_, nullptr)) callback();
}

Status TransportHub::Impl::round_trip(std::string_view name, MonotonicTime deadline, std::function<void(Status)> done) {
  Transport* t = find(name);
  if (t == nullptr)
    return Error(errc::not_found, "no transport is named " + std::string(name) + "; `tenon transports` lists them",
                 fault::caller);
  if (t->connection == nullptr)
    return Error(errc::unavailable, "transport " + t->config.name + " cannot be used at present: " + t->problem,
                 fault::plugin, true);
  t->connection->health_check(std::max<Duration>(deadline - services_.loop.clock().monotonic(), Duration(0)),
                              std::move(done));
  return {};
}

bool TransportHub::Impl::quiet() const {
  return std::all_of(transports_.begin(), transports_.end(), [](const auto& t) {
    return t->routes_retired.empty() &&
           std::all_of(t->routes_out.begin(), t->routes_out.end(), [](const auto& route) { return route->quiet(); });
  });
}

TransportHub::Load TransportHub::Impl::load_of(const Transport& t) const {
  Load load{.transport = t.config.name};
  for (const auto* routes : {&t.routes_out, &t.routes_retired}) {
    for (const auto& route : *routes) {
      load.waiting += services_.router.dispatcher().mailbox(route->receiver()).size();
      load.in_flight += services_.router.dispatcher().in_flight(route->receiver());
    }
  }
  return load;
}

std::vector<TransportHub::Load> TransportHub::Impl::loads() const {
  std::vector<Load> loads;
  for (const auto& t : transports_) loads.push_back(load_of(*t));
  return loads;
}

std::string TransportHub::Impl::transports_json() const {
  JsonWriter json;
  json.begin_array();
  for (const auto& t : transports_) {
    std::uint64_t sent = 0, failed = 0;
    for (const auto& route : t->routes_out) sent += route->sent(), failed += route->failed();
    const Load load = load_of(*t);
    json.begin_object().member("name", t->config.name).member("plugin", t->config.plugin);
    json.member("url", without_credentials(t->config.url)).member("state", to_string(t->state()));
    json.member("reason", t->problem).member("health", t->health).member("sent", sent).member("failed", failed);
    json.member("waiting", load.waiting).member("in_flight", load.in_flight);
    json.member("received", t->received).member("dropped", t->dropped).member("came_round", t->came_round);
    json.end_object();
  }
  return json.end_array().take();
}

std::string TransportHub::Impl::routes_json() const {
  JsonWriter json;
  json.begin_array();
  for (const RouteRef& ref : route_configs_) {
    const RouteConfig& route = *ref;
    json.begin_object().member("topic", route.topic).member("kind", "route").member("as", route.as);
    if (!route.from.empty())
      json.member("from", route.from).member("group", route.group).member("direct", route.direct);
    std::string to;
    for (const std::string& name : route.to) to += (to.empty() ? "" : ",") + name;
    json.member("to", to).end_object();
  }
  return json.end_array().take();
}

TransportHub::TransportHub(Services services, std::vector<TransportConfig> transports, std::vector<RouteConfig> routes)
    : impl_(std::make_unique<Impl>(std::move(services), std::move(transports), std::move(routes))) {}
TransportHub::~TransportHub() = default;
Status TransportHub::start() { return impl_->start(); }
void TransportHub::take_over() { impl_->take_over(); }
void TransportHub::reload(std::vector<TransportConfig> transports, std::vector<RouteConfig> routes) {
  impl_->reload(std::move(transports), std::move(routes));
}
void TransportHub::stop(Duration bound, std::function<void()> done) { impl_->stop(bound, std::move(done)); }
Status TransportHub::round_trip(std::string_view transport, MonotonicTime deadline, std::function<void(Status)> done) {
  return impl_->round_trip(transport, deadline, std::move(done));
}
bool TransportHub::quiet() const { return impl_->quiet(); }
std::vector<TransportHub::Load> TransportHub::loads() const { return impl_->loads(); }
std::string TransportHub::transports_json() const { return impl_->transports_json(); }
std::string TransportHub::routes_json() const { return impl_->routes_json(); }

}  // namespace tenon::integration
