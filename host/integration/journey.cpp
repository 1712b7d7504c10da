#include "integration/journey.hpp"

#include <algorithm>
#include <charconv>

namespace tenon::integration {

Journey journey_of(const message::BaseMessageEnvelope& envelope) {
  Journey journey;
  for (const message::Attribute& a : envelope.extensions) {
    if (a.name == kOriginAttribute) journey.origin = a.value;
    if (a.name == kRunAttribute) journey.run = a.value;
    if (a.name != kHopsAttribute) continue;
    journey.has_hops = true;
    const char* const end = a.value.data() + a.value.size();
    const auto [at, wrong] = std::from_chars(a.value.data(), end, journey.hops);
    if (at != end || wrong != std::errc() || journey.hops > kMostHops) journey.hops = kMostHops;
  }
  return journey;
}

message::Event depart(const message::Event& event, Home home, std::vector<message::Attribute>& extensions,
                      std::vector<message::Attribute>& added) {
  const Journey journey = journey_of(event.envelope);
  message::Event leaving = event;
  // With as many attributes as there may be, it goes unmarked: hops alone end its circles then.
  if (!journey.origin.empty() || event.envelope.extensions.size() + 2 > message::kMaxExtensions) return leaving;
  const message::Attribute marks[] = {{kOriginAttribute, home.node}, {kRunAttribute, home.run}};
  extensions.assign(event.envelope.extensions.begin(), event.envelope.extensions.end());
  if (!journey.run.empty()) {  // of somebody who does not know what it means
    std::erase_if(extensions, [](const message::Attribute& a) { return a.name == kRunAttribute; });
    leaving.rewritten = true;
  }
  extensions.insert(extensions.end(), std::begin(marks), std::end(marks));
  added.assign(event.added.begin(), event.added.end());
  added.insert(added.end(), std::begin(marks), std::end(marks));
  leaving.envelope.extensions = extensions;
  leaving.added = added;
  return leaving;
}

Arrival arrive(const Journey& journey, Home home, std::string_view origin, std::uint32_t hops) {
  Arrival arrival;
  arrival.origin = origin.empty() ? journey.origin : origin;
  arrival.hops = std::max(hops, journey.hops + 1);  // a transport that counts has counted this hop
  if (arrival.origin != home.node) return arrival;
  // Without a run it is of a transport that carries the origin alone, or of a host that knows no runs.
  const bool other_run = arrival.origin == journey.origin && !journey.run.empty() && journey.run != home.run;
  arrival.came_round = !other_run;
  arrival.has_our_name = other_run;
  return arrival;
}

std::vector<message::Attribute> with_journey(std::span<const message::Attribute> extensions, std::string_view hops,
                                             std::string_view origin) {
  std::vector<message::Attribute> marked;
  marked.reserve(extensions.size() + 2);
  for (const message::Attribute& a : extensions)
    if (a.name != kHopsAttribute && a.name != kOriginAttribute) marked.push_back(a);
  marked.push_back({kHopsAttribute, hops, message::AttributeType::integer});
  if (!origin.empty()) marked.push_back({kOriginAttribute, origin});
  return marked;
}

}  // namespace tenon::integration
