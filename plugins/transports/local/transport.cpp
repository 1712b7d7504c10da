#include "transport.hpp"

#include <algorithm>
#include <utility>

#include "../shared/subject.hpp"

namespace tenon::local {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::size_t kMebibyte = 1024 * 1024;
constexpr std::size_t kFrameMin = 64 * 1024;
constexpr std::size_t kSizeMax = 1024 * kMebibyte;

std::size_t size_option(const sdk::Host& host, const char* pointer, std::size_t fallback) {
  const std::uint64_t value = host.config_size(pointer, fallback);
  if (value < kFrameMin || value > kSizeMax)
    throw sdk::Error(TENON_ERR_INVALID_ARGUMENT,
                     std::string("config value ") + pointer + " is not between 64KiB and 1GiB; mend it",
                     TENON_FAULT_CALLER);
  return static_cast<std::size_t>(value);
}

bool worth_repeating(tenon_status code) {
  return code == TENON_ERR_UNAVAILABLE || code == TENON_ERR_EXHAUSTED || code == TENON_ERR_TIMEOUT;
}

}  // namespace

Transport::Transport(sdk::Host host, const tenon_connection_config& config)
    : host_(host),
      mode_(Mode::automatic),
      path_(socket_path(sdk::from_abi(config.url))),
      url_(sdk::from_abi(config.url)),
      node_(host.node()),
      limits_{size_option(host, "/max_frame", 4 * kMebibyte), size_option(host, "/max_buffer", 4 * kMebibyte)},
      flusher_(host),
      inbox_(host, limits_.max_buffer),
      listening_(host, path_),
      calls_(host, [this](Call&& call) {
        fail_call(call, TENON_ERR_TIMEOUT,
                  "no answer within the deadline; raise the timeout, or look at the other host", true);
      }) {
  const std::string mode = host.config_string("/mode", "auto");
  if (mode == "listen") mode_ = Mode::listen;
  if (mode == "connect") mode_ = Mode::connect;
  if (mode_ == Mode::automatic && mode != "auto")
    throw sdk::Error(TENON_ERR_INVALID_ARGUMENT, "mode \"" + mode + "\" is none of auto, listen, connect",
                     TENON_FAULT_CALLER);
  if (node_.empty() || node_.size() > kTextMax)
    throw sdk::Error(TENON_ERR_INVALID_ARGUMENT,
                     "the node's name must have 1 to 255 octets; set \"node\" in the config", TENON_FAULT_CALLER);
}

Transport::~Transport() {
  if (hub_) hub_->close();
  if (link_) link_->close();
}

void Transport::describe(tenon_transport_info& out) const {
  out.flags = TENON_TRANSPORT_ENCODED | TENON_TRANSPORT_REQUESTS | TENON_TRANSPORT_GROUPS;
  out.max_message = limits_.max_frame - kMessageOverhead;
  out.default_serializer = sdk::to_abi("msgpack");
}

// --- calls ---

Message Transport::checked(const tenon_message& message) const {
  const auto refuse = [](const std::string& what) {
    return sdk::Error(TENON_ERR_INVALID_ARGUMENT, what, TENON_FAULT_CALLER, false);
  };
  Message out;
  out.topic = sdk::from_abi(message.topic);
  if (const char* fault = transports::subject_fault(out.topic)) throw refuse(std::string("illegal topic: ") + fault);
  out.origin = message.origin.data == nullptr || message.origin.size == 0 ? std::string_view(node_)
                                                                          : sdk::from_abi(message.origin);
  out.content_type = sdk::from_abi(message.content_type);
  out.encoded = {message.encoded.data, message.encoded.size};
  if (out.encoded.empty()) throw refuse("the event is not encoded; give the transport a serializer");
  if (out.origin.size() > kTextMax || out.content_type.size() > kTextMax)
    throw refuse("origin and content type may have at most 255 octets");
  if (message.hops >= kHopsMax)
    throw refuse("the event has passed " + std::to_string(message.hops) +
                 " hosts, 8 is the limit; look for a loop in the routes");
  out.hops = static_cast<std::uint8_t>(message.hops + 1);
  const std::size_t ours = limits_.max_frame - kMessageOverhead;
  const std::size_t limit = link_ && link_->is_ready() ? std::min(ours, link_->max_event()) : ours;
  if (out.encoded.size() > limit)
    throw refuse("the event has " + std::to_string(out.encoded.size()) + " octets, the limit is " +
                 std::to_string(limit) + "; raise max_frame on every host of " + url_);
  return out;
}

void Transport::require_member() const {
  if (phase_ == Phase::member) return;
  if (phase_ == Phase::connecting || phase_ == Phase::reconnecting)
    throw sdk::unavailable("not connected to " + url_ + " at the moment; it keeps trying");
  throw sdk::Error(TENON_ERR_WRONG_STATE, "not connected to " + url_ + "; connect first", TENON_FAULT_HOST, false);
}

std::uint64_t Transport::expect_answer(std::uint64_t token, std::uint64_t deadline_ns, Awaited awaited) {
  const std::uint64_t exchange = next_exchange_++;
  calls_.add(exchange, deadline_ns, {token, awaited});
  return exchange;
}

// Sends a frame over the link; without room withdraws the exchange and refuses the call.
template <class Write>
void Transport::write(std::uint64_t exchange, Write&& frame) {
  if (link_->send(std::forward<Write>(frame))) return;
  calls_.take(exchange);
  set_back_pressure(true);
  throw sdk::Error(TENON_ERR_EXHAUSTED,
                   std::to_string(link_->buffered()) +
                       " octets wait for the listening host already; send slower, or raise max_buffer",
                   TENON_FAULT_REMOTE, true);
}

void Transport::finish(std::uint64_t token, Outcome outcome) {
  if (outcome.status == TENON_OK) return host_.complete(token);
  host_.complete(token, outcome.status, outcome.why, TENON_FAULT_REMOTE, worth_repeating(outcome.status));
}

void Transport::send(const tenon_message& message, bool settle, std::uint64_t token, std::uint64_t deadline_ns) {
  require_member();
  const Message out = checked(message);
  if (hub_) {
    const auto hub = hub_;
    return finish(token, hub->publish(out));
  }
  const std::uint64_t exchange = settle ? expect_answer(token, deadline_ns) : 0;
  write(exchange, [&](std::string& buffer) { write_event(buffer, exchange, out); });
  if (!settle) host_.complete(token);
}

void Transport::request(const tenon_message& message, std::uint64_t token, std::uint64_t deadline_ns) {
  require_member();
  const Message out = checked(message);
  const std::uint64_t exchange = expect_answer(token, deadline_ns, Awaited::answer);
  if (hub_) {
    const auto hub = hub_;
    return hub->request(exchange, deadline_ns, out);
  }
  const std::uint64_t now = host_.monotonic_ns();
  const std::uint64_t left = deadline_ns > now ? (deadline_ns - now) / kMillisecond + 1 : 1;
  const auto milliseconds = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, UINT32_MAX));
  write(exchange, [&](std::string& buffer) { write_request(buffer, exchange, milliseconds, out); });
}

void Transport::reply(std::string_view reply, const tenon_message& message, std::uint64_t token,
                      std::uint64_t deadline_ns) {
  require_member();
  if (reply.empty() || reply.size() > kTextMax)
    throw sdk::Error(TENON_ERR_INVALID_ARGUMENT,
                     "this is no reply address of this transport; pass on what came with the event", TENON_FAULT_CALLER,
                     false);
  const Message out = checked(message);
  if (hub_) {
    const auto hub = hub_;
    return finish(token, hub->reply(reply, out));
  }
  const std::uint64_t exchange = expect_answer(token, deadline_ns);
  write(exchange, [&](std::string& buffer) { write_reply(buffer, exchange, reply, out); });
}

void Transport::subscribe(std::uint64_t subscription, std::string_view pattern, std::string_view group,
                          std::uint64_t token, std::uint64_t deadline_ns) {
  const auto refuse = [](tenon_status code, const std::string& what) {
    return sdk::Error(code, what, TENON_FAULT_CALLER, false);
  };
  if (const char* fault = transports::pattern_fault(pattern))
    throw refuse(TENON_ERR_INVALID_ARGUMENT, "illegal pattern \"" + std::string(pattern) + "\": " + fault);
  if (!group.empty() && (group.size() > kTextMax || transports::group_fault(group) != nullptr))
    throw refuse(TENON_ERR_INVALID_ARGUMENT, "a group's name must have 1 to 255 octets and no white space");
  if (subscriptions_.size() >= kSubscriptionsMax)
    throw refuse(TENON_ERR_EXHAUSTED, "10000 subscriptions of one host are the limit; use wildcards");
  if (subscriptions_.count(subscription) != 0)
    throw refuse(TENON_ERR_ALREADY_EXISTS, "subscription " + std::to_string(subscription) + " exists already");
  if (link_ && phase_ == Phase::member) {
    const std::uint64_t exchange = expect_answer(token, deadline_ns);
    write(exchange, [&](std::string& buffer) { write_subscribe(buffer, exchange, subscription, pattern, group); });
  }
  subscriptions_.emplace(subscription, Subscription{std::string(pattern), std::string(group)});
  if (link_ && phase_ == Phase::member) return;
  // A link that still introduces itself has sent its list already.
  if (link_) link_->send([&](std::string& buffer) { write_subscribe(buffer, 0, subscription, pattern, group); });
  if (hub_) hub_->subscribe(subscription, pattern, group);
  host_.complete(token);
}

void Transport::unsubscribe(std::uint64_t subscription, std::uint64_t token, std::uint64_t deadline_ns) {
  if (subscriptions_.count(subscription) == 0)
    throw sdk::Error(TENON_ERR_NOT_FOUND, "there is no subscription " + std::to_string(subscription), TENON_FAULT_HOST,
                     false);
  if (link_ && phase_ == Phase::member) {
    const std::uint64_t exchange = expect_answer(token, deadline_ns);
    write(exchange, [&](std::string& buffer) { write_unsubscribe(buffer, exchange, subscription); });
  }
  subscriptions_.erase(subscription);
  inbox_.forget(subscription);
  if (link_ && phase_ == Phase::member) return;
  if (link_) link_->send([&](std::string& buffer) { write_unsubscribe(buffer, 0, subscription); });
  if (hub_) hub_->unsubscribe(subscription);
  host_.complete(token);
}

void Transport::health_check(std::uint64_t token, std::uint64_t deadline_ns) {
  require_member();
  if (hub_) {  // nobody is remote; what can be wrong is that others no longer find us
    if (hub_->is_reachable()) return host_.complete(token);
    return listen_anew(expect_answer(token, deadline_ns));
  }
  const std::uint64_t exchange = expect_answer(token, deadline_ns);
  write(exchange, [&](std::string& buffer) { write_ping(buffer, FrameType::ping, exchange); });
}

void Transport::answered(std::uint64_t exchange, const Message* answer, tenon_status status, std::string_view why) {
  const auto call = calls_.take(exchange);
  if (!call) return;  // its deadline has passed
  if (status != TENON_OK) return fail_call(*call, status, why, worth_repeating(status));
  if (call->awaited == Awaited::farewell) return finish_disconnect(true);
  if (call->awaited == Awaited::completion) return host_.complete(call->token);
  if (answer == nullptr)
    return fail_call(*call, TENON_ERR_BAD_DATA, "the listener answered a request without an event", false);
  const tenon_message out = to_abi(*answer, {});
  host_.raw()->complete_request(host_.raw()->context, call->token, &out, nullptr);
}

void Transport::fail_call(const Call& call, tenon_status code, std::string_view why, bool retryable) {
  if (call.awaited == Awaited::farewell) return;  // the disconnect has a deadline of its own
  if (call.awaited == Awaited::completion) return host_.complete(call.token, code, why, TENON_FAULT_REMOTE, retryable);
  tenon_error error;
  TENON_INIT(&error);
  sdk::fill(error, code, why, TENON_FAULT_REMOTE, retryable);
  host_.raw()->complete_request(host_.raw()->context, call.token, nullptr, &error);
}

void Transport::deliver(std::uint64_t subscription, const Message& message, std::string_view reply, bool& taken) {
  taken = true;
  if (message.hops > kHopsMax || message.origin == node_)
    return host_.count("loop_drops");                   // a peer that keeps no rules
  if (subscriptions_.count(subscription) == 0) return;  // unsubscribed meanwhile
  taken = inbox_.offer(subscription, message, reply);
}

void Transport::report(std::uint32_t state, const sdk::Error* why) {
  if (why == nullptr) return host_.raw()->transport_state(host_.raw()->context, state, nullptr);
  tenon_error error;
  TENON_INIT(&error);
  sdk::fill(error, why->code(), why->what(), why->fault(), why->retryable());
  host_.raw()->transport_state(host_.raw()->context, state, &error);
}

void Transport::set_back_pressure(bool on) {
  if (std::exchange(back_pressure_, on) != on) host_.raw()->transport_back_pressure(host_.raw()->context, on ? 1 : 0);
}

}  // namespace tenon::local
