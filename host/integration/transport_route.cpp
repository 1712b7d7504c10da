#include "integration/transport_route.hpp"

#include <algorithm>
#include <utility>

#include "common/logging.hpp"
#include "message/expiry.hpp"
#include "message/topic.hpp"

namespace tenon::integration {

namespace {

constexpr Duration kLongestPause = std::chrono::seconds(5);
constexpr std::size_t kMaxEncoded = 64u * 1024 * 1024;

}  // namespace

std::string apply_as(std::string_view as, std::string_view topic) {
  if (as.empty()) return std::string(topic);
  constexpr std::string_view kPlace = "{topic}";
  std::string out(as);
  for (std::size_t at = out.find(kPlace); at != std::string::npos; at = out.find(kPlace, at + topic.size()))
    out.replace(at, kPlace.size(), topic);
  return out;
}

// One event given to the connection. The copy is made only if the connection does not complete at once.
struct TransportRoute::Sending {
  std::uint64_t position = 0;
  std::string id;               // of an at_least_once event
  message::MessageRef message;  // of an at_most_once event that is still on its way
  bool completed = false;
  Status status;
};

TransportRoute::TransportRoute(Services services, const RouteConfig& config, std::string transport_name,
                               Duration timeout)
    : services_(std::move(services)), config_(config), name_(std::move(transport_name)), buffer_(kMaxEncoded),
      timeout_(timeout) {
  receiver_ = services_.router.dispatcher().add_receiver({name_, config_.mailbox, config_.delivery});
}

TransportRoute::~TransportRoute() {
  services_.router.forget_receiver(receiver_, services_.loop.clock().monotonic());
}

Status TransportRoute::subscribe() {
  TENON_TRY(services_.router.subscribe(receiver_, config_.topic));
  services_.router.dispatcher().attach(receiver_, *this);
  services_.router.dispatcher().set_gate(receiver_, message::Gate::open, services_.loop.clock().monotonic());
  return {};
}

bool TransportRoute::connected() const noexcept {
  return link_ && link_->connection.state() == TransportState::connected;
}

void TransportRoute::use(PluginTransport& connection, message::MessageSerializer& serializer) {
  link_.emplace(Link{connection, serializer, message::Encoder(serializer, services_.serializers, kMaxEncoded)});
}

void TransportRoute::drop() {
  link_.reset();
  pushed_back_ = false;  // the one before said so
}

bool TransportRoute::drained() const noexcept {
  const message::MessageDispatcher& dispatcher = services_.router.dispatcher();
  return on_the_way_.empty() && dispatcher.mailbox(receiver_).empty() && dispatcher.in_flight(receiver_) == 0;
}

void TransportRoute::retire() { services_.router.unsubscribe(receiver_, config_.topic); }

void TransportRoute::close(std::string_view why) {
  if (std::exchange(closed_, true)) return;
  const std::string unknown = std::string(why) + " before the transport said whether it had sent the event";
  const std::string unsent = std::string(why) + " before the transport took the event; publish it again";
  for (const auto& [position, sending] : on_the_way_) {
    if (sending->completed || !sending->message) continue;
    services_.dead_letters.dead_letter(sending->message.event(), message::DeadLetterReason::shutdown, name_, unknown,
                                       1);
  }
  on_the_way_.clear();
  alive_.reset();  // completions that come now have nothing to say
  const MonotonicTime now = services_.loop.clock().monotonic();
  message::MessageDispatcher& dispatcher = services_.router.dispatcher();
  dispatcher.detach(receiver_, {}, now);
  dispatcher.dead_letter_waiting(receiver_, message::DeadLetterReason::shutdown, unsent);
  dispatcher.set_gate(receiver_, message::Gate::ended, now);
}

void TransportRoute::wake() {
  if (closed_ || !waiting_ || cooling_ || pushed_back_ || !connected()) return;
  waiting_ = false;
  services_.router.dispatcher().outlet_has_room(receiver_, services_.loop.clock().monotonic());
}

void TransportRoute::set_back_pressure(bool on) {
  pushed_back_ = on;
  if (on) return;
  // In a turn of its own: the plugin may say so from within a call of the dispatcher's, or before it tells that the
  // connection is lost.
  services_.loop.post([this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) wake();
  });
}

void TransportRoute::cool_down() {
  if (cooling_) return;
  cooling_ = true;
  pause_timer_ = services_.loop.after(pause_, [this] {
    cooling_ = false;
    wake();
  });
  pause_ = std::min(pause_ * 2, kLongestPause);
}

bool TransportRoute::keeps_until_settled() const noexcept {
  return config_.delivery.mode == message::DeliveryMode::at_least_once;
}

// Into topic_ and buffer_. False with the refusal when this route cannot carry the event.
bool TransportRoute::encode(const message::Event& event, std::uint32_t attempt, message::Offer& refusal) {
  const auto refuse = [&](message::OfferResult result, std::string why) {
    refusal_ = std::move(why);
    refusal = {result, 0, refusal_};
    return false;
  };
  topic_ = apply_as(config_.as, event.envelope.effective_topic());
  if (Status legal = message::check_topic(topic_); !legal.ok())
    return refuse(message::OfferResult::untranslatable, legal.error().message);
  buffer_.clear();
  if (Status encoded = link_->encoder.encode(event, {false, attempt > 1}, buffer_); !encoded.ok())
    return refuse(message::OfferResult::untranslatable, encoded.error().message);
  const std::uint64_t most = link_->connection.max_message();
  if (most == 0 || buffer_.size() <= most) return true;
  return refuse(message::OfferResult::too_large, "the encoded event has " + std::to_string(buffer_.size()) +
                                                     " octets, the transport takes " + std::to_string(most) +
                                                     "; send less, or raise the limit of its server");
}

message::Offer TransportRoute::offer(const message::Event& event, std::uint32_t attempt) {
  const bool ready = connected() && !cooling_ && !pushed_back_;
  if (!ready || on_the_way_.size() >= kMaxOnTheWay) {
    waiting_ = true;
    return {message::OfferResult::full};
  }
  const message::Event leaving = depart(event, {services_.node, services_.run}, extensions_, added_);
  if (message::Offer refusal{}; !encode(leaving, attempt, refusal)) return refusal;

  const Journey journey = journey_of(leaving.envelope);
  const std::string_view origin = journey.origin.empty() ? std::string_view(services_.node) : journey.origin;
  const OutgoingMessage out{topic_, buffer_.view(), link_->serializer.format().content_type(), origin,
                            journey.hops, &leaving.envelope};
  const bool keep = keeps_until_settled();
  auto sending = std::make_shared<Sending>();
  sending->position = ++position_;
  if (keep) sending->id = event.envelope.id;
  on_the_way_.emplace(sending->position, sending);
  send(event, out, sending);
  buffer_.clear_large();
  if (!sending->completed && !keep) sending->message = message::MessageRef::copy(event, services_.budget);
  // What failed at once never left: an ordinary event is refused here and now, with the reason.
  if (sending->completed && !sending->status.ok() && !keep) {
    refusal_ = sending->status.error().message;
    services_.dead_letters.dead_letter(event, message::DeadLetterReason::transport_failed, name_, refusal_, attempt);
  }
  return {message::OfferResult::taken, sending->position};
}

void TransportRoute::send(const message::Event& event, const OutgoingMessage& out,
                          const std::shared_ptr<Sending>& sending) {
  if (!event.envelope.replyto.empty() && link_->connection.can_request()) return send_request(event, out, sending);
  const auto done = [this, sending, alive = std::weak_ptr<int>(alive_)](Status status) {
    if (!alive.expired()) completed(sending, status);
  };
  link_->connection.send(out, keeps_until_settled(), timeout_, done);
}

void TransportRoute::send_request(const message::Event& event, const OutgoingMessage& out,
                                  const std::shared_ptr<Sending>& sending) {
  const std::string id(event.envelope.id), replyto(event.envelope.replyto);
  Duration left = message::time_left(event.envelope, services_.loop.clock().wall(), services_.request_timeout);
  // It ends before its ack_timeout would send it again beside itself.
  if (keeps_until_settled()) left = std::min<Duration>(left, config_.delivery.ack_timeout / 10 * 9);
  const auto done = [this, sending, id, replyto, alive = std::weak_ptr<int>(alive_)](Result<IncomingMessage> answer) {
    if (alive.expired()) return;
    completed(sending, answer.ok() ? Status() : Status(answer.error()));
    // In a turn of its own, as `completed` does: the answer may come from within the request.
    if (answer.ok()) publish_answer(id, replyto, std::move(*answer));
  };
  link_->connection.request(out, std::max<Duration>(left, std::chrono::milliseconds(1)), done);
}

void TransportRoute::publish_answer(const std::string& id, const std::string& replyto, IncomingMessage answer) {
  auto shared = std::make_shared<IncomingMessage>(std::move(answer));
  services_.loop.post([this, id, replyto, shared, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) services_.answered(id, replyto, std::move(*shared));
  });
}

// Always ends in a turn of its own: the completion may come while the dispatcher is still handing the event over.
void TransportRoute::completed(const std::shared_ptr<Sending>& sending, const Status& status) {
  sending->completed = true;
  sending->status = status;
  if (status.ok()) {
    ++sent_;
    pause_ = std::chrono::milliseconds(100);
  } else {
    ++failed_;
    if (status.error().retryable) cool_down();
  }
  if (sending->message && !status.ok())
    services_.dead_letters.dead_letter(sending->message.event(), message::DeadLetterReason::transport_failed, name_,
                                       status.error().message, 1);
  services_.loop.post([this, sending, alive = std::weak_ptr<int>(alive_)] {
    if (alive.expired()) return;
    on_the_way_.erase(sending->position);
    const MonotonicTime now = services_.loop.clock().monotonic();
    message::MessageDispatcher& dispatcher = services_.router.dispatcher();
    if (keeps_until_settled()) {
      if (sending->status.ok()) dispatcher.settle(receiver_, sending->id, now);
      else dispatcher.refuse(receiver_, sending->id, now);
    } else {
      dispatcher.written_up_to(receiver_, on_the_way_.empty() ? position_ : on_the_way_.begin()->first - 1, now);
    }
    wake();
    if (settled_) settled_();
  });
}

}  // namespace tenon::integration
