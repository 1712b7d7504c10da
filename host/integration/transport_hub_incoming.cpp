// Events that come in over a transport: read, marked, completed, published; and the answers to requests, both ways.
#include <utility>

#include "common/logging.hpp"
#include "integration/transport_hub_impl.hpp"
#include "message/media_type.hpp"

namespace tenon::integration {

// Nothing said: an event in JSON begins with a brace; whatever does not is in the transport's own encoding.
message::MessageSerializer* TransportHub::Impl::reader(Transport& t, const std::string& content_type,
                                                       std::string_view encoded) {
  if (!content_type.empty() && content_type == t.last_content_type) return t.last_reader;
  std::string encoding = message::encoding_of(content_type);
  if (encoding.empty())
    encoding = encoded.starts_with('{') ? "application/json" : t.serializer->format().content_type();
  auto known = t.readers.find(encoding);
  if (known == t.readers.end()) {
    const std::string name = services_.serializers.name_for(encoding);
    if (name.empty()) return nullptr;
    auto made = services_.serializers.make(name, t.config.name + "/in");
    if (!made.ok()) return nullptr;
    known = t.readers.emplace(std::move(encoding), std::move(*made)).first;
  }
  t.last_content_type = content_type;
  return t.last_reader = known->second.get();
}

// A request that came over the transport: the token under which its answer is awaited.
std::optional<std::uint64_t> TransportHub::Impl::open_reply(Transport& t, const std::string& reply) {
  if (reply.empty()) return std::nullopt;
  const auto late = [this, name = t.config.name](const message::Event& answer) {
    services_.dead_letters.dead_letter(answer, message::DeadLetterReason::late_reply, name,
                                       "the transport that the request came over is gone", 0);
  };
  const std::weak_ptr<int> alive = t.alive;
  return services_.askers.add([this, &t, reply, late, alive](const message::Event* answer) {
    // The asker at the other end has its own deadline. A reload may have taken the transport away.
    if (answer == nullptr) return;
    if (alive.expired() || t.connection == nullptr || t.disconnecting) return late(*answer);
    message::GrowingBuffer buffer(64u * 1024 * 1024);
    message::Encoder encoder(*t.serializer, services_.serializers, 64u * 1024 * 1024);
    if (Status encoded = encoder.encode(*answer, {}, buffer); !encoded.ok()) {
      services_.dead_letters.dead_letter(*answer, message::DeadLetterReason::untranslatable, t.config.name,
                                         encoded.error().message, 1);
      return;
    }
    const OutgoingMessage out{answer->envelope.effective_topic(), buffer.view(), t.serializer->format().content_type(),
                              {}, 0, &answer->envelope};
    t.connection->reply(reply, out, t.config.timeout, [name = t.config.name](Status status) {
      if (!status.ok())
        log::warn("transport", "an answer was not delivered", {{"transport", name}, {"why", status.error().message}});
    });
  });
}

void TransportHub::Impl::refuse(Transport& t, message::Event& event, message::DeadLetterReason reason,
                                std::string_view why) {
  if (event.envelope.source.empty()) event.envelope.source = t.policy.source_uri;
  services_.dead_letters.dead_letter(event, reason, {}, why, 0);
}

// False: it is no event, and was dead-lettered.
bool TransportHub::Impl::read(Transport& t, const IncomingMessage& in, message::Event& event) {
  event.encoded = in.encoded();
  message::MessageSerializer* serializer = reader(t, in.content_type, event.encoded);
  if (serializer == nullptr) {
    refuse(t, event, message::DeadLetterReason::untranslatable,
           "no serializer for " + in.content_type + " is loaded; install one");
    return false;
  }
  event.encoded_format = serializer->format();
  const Status read = serializer->read_event(event.encoded, event.envelope);
  if (read.ok()) return true;
  event.envelope.topic = in.topic;
  refuse(t, event, message::DeadLetterReason::malformed, read.error().message);
  return false;
}

void TransportHub::Impl::set_topic(Inbound& inbound, const RouteConfig& route) {
  message::BaseMessageEnvelope& e = inbound.event.envelope;
  inbound.topic = apply_as(route.as, inbound.in.topic);
  if (!e.topic.empty() && e.topic != inbound.topic) inbound.event.rewritten = true;
  if (e.topic.empty() && e.type != inbound.topic) inbound.added.add("topic", inbound.topic);
  e.topic = inbound.topic;
}

// Marks it with where it came from and how far. False: it goes no further.
bool TransportHub::Impl::count_hop(Transport& t, Inbound& inbound) {
  message::Event& event = inbound.event;
  const Journey journey = journey_of(event.envelope);
  const Arrival arrival = arrive(journey, {services_.node, run_}, inbound.in.origin, inbound.in.hops);
  if (arrival.came_round) {
    ++t.came_round;
    return false;
  }
  if (arrival.has_our_name && !std::exchange(t.met_our_name, true))
    log::warn("transport", "events come from another host that has this node's name, or from before this engine "
              "started; give each host its own \"node\" in the config", {{"transport", t.config.name},
                                                                         {"node", services_.node}});
  if (arrival.hops > kMaxHops) {
    refuse(t, event, message::DeadLetterReason::hop_limit,
           "passed through more than 8 hosts; the routes of the hosts form a loop, mend them");
    return false;
  }
  inbound.origin = arrival.origin;
  inbound.hops = std::to_string(arrival.hops);
  // What changes inside of the encoded event makes it be written anew; what only comes in addition does not.
  if (journey.has_hops) event.rewritten = true;
  else inbound.added.add(kHopsAttribute, inbound.hops, message::AttributeType::integer);
  if (journey.origin.empty() && !inbound.origin.empty()) inbound.added.add(kOriginAttribute, inbound.origin);
  else if (journey.origin != inbound.origin) event.rewritten = true;
  inbound.extensions = with_journey(event.envelope.extensions, inbound.hops, inbound.origin);
  event.envelope.extensions = inbound.extensions;
  return true;
}

// A request that came over the transport is answered on a topic of ours.
void TransportHub::Impl::expect_answer(Transport& t, Inbound& inbound) {
  inbound.asker = open_reply(t, inbound.in.reply);
  if (!inbound.asker) return;
  message::BaseMessageEnvelope& e = inbound.event.envelope;
  inbound.replyto = "reply." + services_.node + "." + ids_.next(services_.loop.clock().wall());
  if (!e.replyto.empty()) inbound.event.rewritten = true;
  else inbound.added.add("replyto", inbound.replyto);
  e.replyto = inbound.replyto;
}

Status TransportHub::Impl::accept(Transport& t, Inbound& inbound, message::DeadLetterReason& reason) {
  const WallTime wall = services_.loop.clock().wall();
  services_.intake.set_time(wall);
  services_.router.set_wall_time(wall);
  if (auto refusal = services_.intake.accept(inbound.event, inbound.added, t.policy)) {
    reason = refusal->reason;
    return Error(errc::invalid_argument, std::move(refusal->detail), fault::caller);
  }
  reason = message::DeadLetterReason::schema;
  return services_.validate ? services_.validate(inbound.event) : Status();
}

void TransportHub::Impl::incoming(Transport& t, IncomingMessage in) {
  ++t.received;
  if (in.subscription >= t.routes_in.size() || t.routes_in[in.subscription] == nullptr) return;
  const RouteRef kept = t.routes_in[in.subscription];
  const RouteConfig& route = *kept;
  Inbound inbound{in};
  if (!read(t, in, inbound.event)) return;
  set_topic(inbound, route);
  if (!count_hop(t, inbound)) return;
  expect_answer(t, inbound);

  message::DeadLetterReason reason{};
  if (const Status accepted = accept(t, inbound, reason); !accepted.ok()) {
    if (inbound.asker) services_.askers.remove(*inbound.asker);
    return refuse(t, inbound.event, reason, accepted.error().message);
  }
  const message::Publisher publisher{
      .name = t.config.name, .may_target = route.direct, .except = t.receivers, .asker_token = inbound.asker};
  const auto result = services_.router.publish(inbound.event, publisher, services_.loop.clock().monotonic());
  if (inbound.asker && result.failed) services_.askers.remove(*inbound.asker);
}

// What came back for an event that a route had sent as a request: published here as the answer that its asker awaits.
void TransportHub::Impl::answered(Transport& t, const std::string& request_id, const std::string& replyto,
                                  IncomingMessage in) {
  message::Event event;
  if (!read(t, in, event)) return;
  event.rewritten = true;
  event.envelope.topic = replyto;
  event.envelope.correlationid = request_id;
  message::AddedAttributes added;
  services_.intake.set_time(services_.loop.clock().wall());
  if (const auto refusal = services_.intake.accept(event, added, t.policy))
    return refuse(t, event, refusal->reason, refusal->detail);
  if (services_.validate)
    if (const Status valid = services_.validate(event); !valid.ok())
      return refuse(t, event, message::DeadLetterReason::schema, valid.error().message);
  services_.router.publish(event, message::Publisher{.name = t.config.name, .may_target = false, .except = t.receivers},
                           services_.loop.clock().monotonic());
}

}  // namespace tenon::integration
