// All transports and routes: message ↔ transport.
//
// The model. Each transport of the config is one or more connections of its plugin. A route `to` a transport is a
// receiver of the router with a mailbox of its own, whose outlet sends over the connection; a route `from` one is a
// subscription at the transport whose events are published here. An event from a transport has as its topic the subject
// it came on, after `as`; its `target` counts only where the route says so. It is never sent back to the transport it
// came from.
//
// Settling: at_most_once when the connection has taken the event, at_least_once when the remote has (settle = 1 of the
// ABI). Failed sends of at_least_once events go back to their mailbox and are tried again up to `attempts`.
//
// A connection that gives up (the state ERROR of the ABI) is destroyed and made anew, later each time, from 200 ms to
// 30 s; its subscriptions are made again, its routes' mailboxes stay. The pause is short again once a connection has
// held for 30 s.
//
// A request from a transport gets a host-made replyto; what is published there goes back over that transport until the
// deadline, without a route.
//
// All [loop].
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/loop.hpp"
#include "integration/askers.hpp"
#include "integration/dead_letter_desk.hpp"
#include "integration/host_config.hpp"
#include "integration/plugin_instance.hpp"
#include "integration/plugin_serializer.hpp"
#include "integration/system_events.hpp"
#include "loader/plugin_registry.hpp"
#include "message/intake.hpp"
#include "message/router.hpp"

namespace tenon::integration {

class TransportHub {
 public:
  // All outlive the hub.
  struct Services {
    event::Loop& loop;
    PluginServices& plugins;
    const loader::PluginRegistry& registry;
    PluginSerializers& serializers;
    message::MessageRouter& router;
    message::Intake& intake;
    message::EventBudget& budget;
    DeadLetterDesk& dead_letters;
    SystemEvents& events;
    Askers& askers;
    // Checks an event against the schema of its type; null: nothing is checked.
    std::function<Status(const message::Event&)> validate;
    Duration request_timeout;
    std::string node;
  };

  TransportHub(Services services, std::vector<TransportConfig> transports, std::vector<RouteConfig> routes);
  ~TransportHub();
  TransportHub(const TransportHub&) = delete;
  TransportHub& operator=(const TransportHub&) = delete;

  // Makes the connections and begins to connect; a transport that cannot connect now goes on trying. An error only for
  // what no retry mends: no such plugin, a refused config.
  Status start();
  // Instead of start(), after an earlier engine: a transport that cannot even be made (its plugin is quarantined, or
  // refuses to be created) is said to be disconnected and tried again; its routes keep what they are given meanwhile.
  void take_over();
  // Other transports and routes from now on; what is equal is not touched. One that changed sends what is on its way
  // and connects anew; its routes keep what waits. One that is gone, and a route that is gone, takes nothing new, has
  // five seconds to send what waits, and the rest is dead-lettered (`shutdown`). What cannot be made is tried again, as
  // after take_over().
  void reload(std::vector<TransportConfig> transports, std::vector<RouteConfig> routes);
  // Sends what waits as far as the deadline allows and disconnects. What could not be sent is dead-lettered
  // (`shutdown`). `done` exactly once, within a second of the bound.
  void stop(Duration bound, std::function<void()> done);

  // A round trip over the named transport; errc::not_found if there is none of that name.
  Status round_trip(std::string_view transport, MonotonicTime deadline, std::function<void(Status)> done);

  // Nothing on its way to a remote.
  bool quiet() const;

  // What is to go out over each transport: waits in its routes' mailboxes, or was given to it and is not settled.
  struct Load {
    std::string_view transport;  // valid as long as the hub
    std::uint64_t waiting = 0, in_flight = 0;
  };
  std::vector<Load> loads() const;

  // JSON arrays for the control API.
  std::string transports_json() const;
  std::string routes_json() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenon::integration
