// How an event travels between hosts, and what keeps it from travelling in circles.
//
// The model. The way is written into extension attributes, so that any transport carries it. An event that leaves for a
// transport without an origin gets this host's: `tenonorigin`, the node's name, and `tenonrun`, which tells two hosts
// of one name apart (and an engine from the one before it). Every host that takes an event in counts one hop more in
// `tenonhops`. An event that comes in with the origin and the run of the very host has come round and goes no further;
// one that passed more than kMaxHops hosts is dead-lettered. What changes the topic on the way (`as`) changes none of
// these.
//
// Pure. Views point into what is passed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "message/event.hpp"

namespace tenon::integration {

inline constexpr std::string_view kHopsAttribute = "tenonhops";
inline constexpr std::string_view kOriginAttribute = "tenonorigin";
inline constexpr std::string_view kRunAttribute = "tenonrun";
inline constexpr std::uint32_t kMaxHops = 8;
inline constexpr std::uint32_t kMostHops = 1'000'000;  // also for a count that is no number: over every limit

struct Journey {
  std::uint32_t hops = 0;
  std::string_view origin, run;  // empty: it has none
  bool has_hops = false;         // the attribute is there
};
Journey journey_of(const message::BaseMessageEnvelope& envelope);

// Who a host is on the way.
struct Home {
  std::string_view node, run;
};

// The event as it leaves for a transport. `extensions` and `added` hold its attributes then; they must outlive it.
message::Event depart(const message::Event& event, Home home, std::vector<message::Attribute>& extensions,
                      std::vector<message::Attribute>& added);

// What the arrival of an event means. A transport may know origin and hops by itself; empty and 0 if not.
struct Arrival {
  std::string_view origin;
  std::uint32_t hops = 0;  // this one included
  bool came_round = false;
  bool has_our_name = false;  // another host has our node's name
};
Arrival arrive(const Journey& journey, Home home, std::string_view origin, std::uint32_t hops);

// The attributes with these marks instead of what stood there. An empty origin is left out.
std::vector<message::Attribute> with_journey(std::span<const message::Attribute> extensions, std::string_view hops,
                                             std::string_view origin);

}  // namespace tenon::integration
