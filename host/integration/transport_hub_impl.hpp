// What TransportHub keeps of its transports; for its own sources only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/ids.hpp"
#include "integration/plugin_transport.hpp"
#include "integration/transport_hub.hpp"
#include "integration/transport_route.hpp"

namespace tenon::integration {

class TransportHub::Impl {
 public:
  static constexpr Duration kFirstRetry = std::chrono::milliseconds(200);
  static constexpr Duration kLongestRetry = std::chrono::seconds(30);

  Impl(Services services, std::vector<TransportConfig> transports, std::vector<RouteConfig> routes);

  Status start();
  void take_over();
  void reload(std::vector<TransportConfig> transports, std::vector<RouteConfig> routes);
  void stop(Duration bound, std::function<void()> done);
  Status round_trip(std::string_view name, MonotonicTime deadline, std::function<void(Status)> done);
  bool quiet() const;
  std::vector<Load> loads() const;
  std::string transports_json() const;
  std::string routes_json() const;

 private:
  using RouteRef = std::shared_ptr<const RouteConfig>;
  static constexpr Duration kLeaveWithin = std::chrono::seconds(5);  // what a reload takes away, with what it has to send

  struct Transport {
    TransportConfig config;
    std::unique_ptr<message::MessageSerializer> serializer;  // null as long as no connection could be made
    std::string serializer_name;
    std::map<std::string, std::unique_ptr<message::MessageSerializer>> readers;  // by encoding
    std::string last_content_type;  // and who reads it: most messages say the same as the one before
    message::MessageSerializer* last_reader = nullptr;
    std::unique_ptr<PluginTransport> connection;  // null while none can be made
    std::vector<std::unique_ptr<TransportRoute>> routes_out;
    std::vector<message::ReceiverId> receivers;      // of routes_out: an event never goes back where it came from
    std::vector<std::unique_ptr<TransportRoute>> routes_retired;  // of an earlier config, until drained
    std::vector<RouteRef> routes_in;                 // the subscription's number is the position; null: it has ended
    message::SourcePolicy policy;
    Duration retry = kFirstRetry;
    event::Handle retry_timer, health_timer;
    std::string problem;  // why it is not connected; empty if it is
    std::string health = "unknown";
    std::uint64_t received = 0, dropped = 0;
    std::uint64_t came_round = 0;   // own events that came back, and went no further
    MonotonicTime since{};
    std::optional<MonotonicTime> connected_at;  // of the connection that is, or was the last
    bool was_connected = false, told_gone = false, stopping = false, disconnecting = false, reconnecting = false;
    bool met_our_name = false;
    std::function<void()> look_whether_drained;  // while it is drained
    std::function<void()> gone;                  // it is disconnected, and its routes are closed
    std::string_view end = "the host stopped";   // why it is drained
    std::shared_ptr<int> alive = std::make_shared<int>(0);

    TransportState state() const noexcept {
      return connection == nullptr ? TransportState::error : connection->state();
    }
  };

  Load load_of(const Transport& t) const;
  void add_transports();
  Transport& add_transport(const TransportConfig& config);
  Status add_routes(Transport& t);
  Status add_route_out(Transport& t, const RouteConfig& config);
  void leave(Transport& t);
  void reconnect(Transport& t, const TransportConfig& config);
  void change_routes(Transport& t);
  void end_subscription(Transport& t, std::uint64_t subscription);
  void retire(Transport& t, std::unique_ptr<TransportRoute> route);
  void subscribe_one(Transport& t, std::uint64_t subscription);
  Status make_connection(Transport& t);
  Status make_serializer(Transport& t);
  void open(Transport& t);
  void subscribe(Transport& t);
  void connect(Transport& t);
  void try_later(Transport& t, std::string_view what);
  void renew(Transport& t);
  void check_health(Transport& t);
  void state_changed(Transport& t, TransportState state, const Status& why);
  void tell_state(Transport& t, TransportState state);
  void drain(Transport& t, MonotonicTime deadline);
  void disconnect(Transport& t, MonotonicTime deadline);
  void one_less_to_stop();
  void stopped();

  // An event on its way in. The event points into the rest.
  struct Inbound {
    const IncomingMessage& in;
    message::Event event = {};
    message::AddedAttributes added = {};
    std::string topic = {}, origin = {}, hops = {}, replyto = {};
    std::vector<message::Attribute> extensions = {};
    std::optional<std::uint64_t> asker = {};
  };
  void incoming(Transport& t, IncomingMessage message);
  bool read(Transport& t, const IncomingMessage& in, message::Event& event);
  void set_topic(Inbound& inbound, const RouteConfig& route);
  bool count_hop(Transport& t, Inbound& inbound);
  void expect_answer(Transport& t, Inbound& inbound);
  Status accept(Transport& t, Inbound& inbound, message::DeadLetterReason& reason);
  void refuse(Transport& t, message::Event& event, message::DeadLetterReason reason, std::string_view why);
  message::MessageSerializer* reader(Transport& t, const std::string& content_type, std::string_view encoded);
  void answered(Transport& t, const std::string& request_id, const std::string& replyto, IncomingMessage answer);
  std::optional<std::uint64_t> open_reply(Transport& t, const std::string& reply);
  Transport* find(std::string_view name);

  Services services_;
  std::vector<TransportConfig> transport_configs_;
  std::vector<RouteRef> route_configs_;
  std::vector<std::unique_ptr<Transport>> transports_;
  std::vector<std::unique_ptr<Transport>> leaving_;  // removed from the config, and still sending what waits
  std::string run_;  // tells this engine's events from those of another host of the same name
  UlidGenerator ids_;
  event::Handle stop_timer_;
  std::vector<event::Handle> retiring_;  // when the time of a retired route is over
  std::size_t stopping_ = 0;
  std::function<void()> stopped_;
};

}  // namespace tenon::integration
