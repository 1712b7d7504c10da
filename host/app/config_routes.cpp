#include <algorithm>

#include "app/config_draft.hpp"
#include "app/config_worker.hpp"
#include "message/topic.hpp"

namespace tenon::app {

using integration::RouteConfig;

namespace {

constexpr std::size_t kMaxRoutes = 10'000;
constexpr std::size_t kMaxTargets = 256;

// The names of `to` and `from` are taken down where they are read; whether they exist is known only at the end.
struct RouteDraft {
  ConfigDraft& all;
  RouteConfig route;
};

void read_to(ConfigReader& reader, const JsonValue& at, RouteDraft& out) {
  reader.array(at, kMaxTargets, "transports", [&](const JsonValue& one) {
    std::string name;
    if (!reader.nonempty(one, name, "a transport's name")) return;
    out.all.transport_uses.push_back({name, one});
    if (std::find(out.route.to.begin(), out.route.to.end(), name) != out.route.to.end()) {
      reader.refuse(one, "the transport is named twice; keep one", "each transport once");
    }
    out.route.to.push_back(std::move(name));
  });
  if (at.is_array() && at.size() == 0) reader.wrong(at, "at least one transport");
}

void read_from(ConfigReader& reader, const JsonValue& at, RouteDraft& out) {
  if (!reader.nonempty(at, out.route.from, "a transport's name")) return;
  out.all.transport_uses.push_back({out.route.from, at});
}

void read_as(ConfigReader& reader, const JsonValue& at, RouteDraft& out) {
  std::string as;
  if (!reader.text(at, as, "a topic such as \"alpha.{topic}\"")) return;
  std::string example = as;
  constexpr std::string_view placeholder = "{topic}";
  if (const std::size_t place = example.find(placeholder); place != example.npos) example.replace(place, 7, "topic");
  if (const Status legal = message::check_topic(example); !legal) {
    reader.refuse(at, legal.error().message, "a topic's pattern");
  } else if (example.find_first_of("{}") != example.npos) {
    reader.wrong(at, "a topic with {topic} in it at most once and no other braces");
  } else {
    out.route.as = std::move(as);
  }
}

constexpr Key<RouteDraft> kRouteKeys[] = {
    {"topic",
     [](ConfigReader& reader, const JsonValue& at, RouteDraft& out) { read_pattern(reader, at, out.route.topic); }},
    {"to", read_to},
    {"from", read_from},
    {"as", read_as},
    {"group",
     [](ConfigReader& reader, const JsonValue& at, RouteDraft& out) { reader.identifier(at, out.route.group); }},
    {"direct",
     [](ConfigReader& reader, const JsonValue& at, RouteDraft& out) { reader.boolean(at, out.route.direct); }},
    {"mailbox",
     [](ConfigReader& reader, const JsonValue& at, RouteDraft& out) { read_mailbox(reader, at, out.route.mailbox); }},
    {"delivery",
     [](ConfigReader& reader, const JsonValue& at, RouteDraft& out) { read_delivery(reader, at, out.route.delivery); }},
    {"durable", nullptr, KeyRule::reserved},
};
const Section<RouteDraft> kRoute{"route", kRouteKeys, {"topic"}};

void check_direction(ConfigReader& reader, const JsonValue& at) {
  const auto to = at.find("to");
  const auto from = at.find("from");
  if (to.has_value() == from.has_value()) {
    reader.refuse(at, to ? "a route has \"to\" or \"from\", not both; write two routes"
                         : "the route leads nowhere; add \"to\": [\"…\"] (events out) or \"from\": \"…\" (events in)");
    return;
  }
  for (const std::string_view key : {"group", "direct"}) {
    if (const auto misplaced = at.find(key); misplaced && to) {
      reader.refuse_key(*misplaced, "belongs to a route with \"from\"; leave it out", "nothing");
    }
  }
  for (const std::string_view key : {"mailbox", "delivery"}) {
    if (const auto misplaced = at.find(key); misplaced && from) {
      reader.refuse_key(*misplaced, "belongs to a route with \"to\": events from a transport go to the receivers' own "
                                    "mailboxes; leave it out");
    }
  }
}

}  // namespace

void read_routes(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft) {
  reader.array(at, kMaxRoutes, "routes such as {\"topic\": \"task.>\", \"to\": [\"bus\"]}", [&](const JsonValue& one) {
    RouteDraft route{draft, {}};
    if (!one.is_object()) {
      reader.wrong(one, "a route such as {\"topic\": \"task.>\", \"to\": [\"bus\"]}");
      return;
    }
    read_section(reader, one, kRoute, route);
    check_direction(reader, one);
    draft.host.routes.push_back(std::move(route.route));
  });
}

void check_transport_uses(ConfigReader& reader, const ConfigDraft& draft) {
  std::vector<std::string_view> names;
  for (const auto& [name, at] : draft.transports) names.push_back(name);
  for (const NameUse& use : draft.transport_uses) {
    if (draft.transports.find(use.name) != draft.transports.end()) continue;
    if (names.empty()) {
      reader.refuse(use.at, "there is no such transport; define it under \"transports\"", "the name of a transport");
    } else {
      reader.wrong_name(use.at, "a transport:", names);
    }
  }
}

void describe_routes(std::vector<SectionKeys>& out) { out.push_back(keys_of(kRoute)); }

}  // namespace tenon::app
