#include "transport.hpp"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "../shared/subject.hpp"
#include "content_type.hpp"

namespace tenon::nats {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
// nats.c may overrun a timeout by the write deadline, because it waits for its lock; a worker is not written off for
// that.
constexpr std::uint64_t kSlack = 3000 * kMillisecond;
constexpr std::uint64_t kLongestRoundTrip = 30'000 * kMillisecond;
constexpr std::size_t kSubscriptionsMax = 10000;
constexpr std::size_t kContentTypeMax = 255;
constexpr auto kCloseWithin = std::chrono::milliseconds(900);

sdk::Error refused(const std::string& what) { return {TENON_ERR_INVALID_ARGUMENT, what, TENON_FAULT_CALLER, false}; }

std::string hexadecimal(std::uint64_t number) {
  char digits[17];
  return std::string(digits, static_cast<std::size_t>(std::snprintf(digits, sizeof digits, "%llx",
                                                                    static_cast<unsigned long long>(number))));
}

// Closes on a thread of its own; nats.c may wait for a write under way. The future is ready when it is done.
std::future<void> close_apart(std::shared_ptr<Connection> connection) {
  auto done = std::make_shared<std::promise<void>>();
  auto future = done->get_future();
  std::thread([connection = std::move(connection), done]() mutable {
    connection->close();
    connection.reset();
    done->set_value();
  }).detach();
  return future;
}

}  // namespace

Transport::Transport(sdk::Host host, const tenon_connection_config& config)
    : host_(host),
      settings_(read_settings(host, config)),
      calls_(host,
             [this](Call&& call) {
               complete(call, {TENON_ERR_TIMEOUT, true,
                               "no answer from " + settings_.shown +
                                   " within the deadline; raise the timeout, or look at the server"});
             }),
      jobs_(host) {
  host.raw()->at_thread_exit(
      host.raw()->context, [](void*) { release_thread_memory(); }, nullptr);
}

Transport::~Transport() {
  if (!connection_) return;
  connection_->silence();
  drop_backlog();
  sdk::guarded_void([this] { close_apart(std::move(connection_)).wait_for(kCloseWithin); });
}

void Transport::describe(tenon_transport_info& out) const {
  out.flags = TENON_TRANSPORT_ENCODED | TENON_TRANSPORT_REQUESTS | TENON_TRANSPORT_GROUPS;
  out.max_message = connection_ ? connection_->max_payload() : 0;
  out.default_serializer = sdk::to_abi("json");
}

std::chrono::milliseconds Transport::time_left(std::uint64_t deadline_ns) const {
  const std::uint64_t now = host_.monotonic_ns();
  const std::uint64_t left = deadline_ns > now ? std::min(deadline_ns - now, 24 * 3600 * 1000 * kMillisecond) : 0;
  return std::chrono::milliseconds(std::max<std::uint64_t>(left / kMillisecond, 1));
}

// --- the connection's life ---

void Transport::connect(std::uint64_t token, std::uint64_t deadline_ns) {
  if (phase_ == Phase::broken) require_connected();
  if (phase_ != Phase::idle)
    throw sdk::Error(TENON_ERR_WRONG_STATE,
                     "connected to " + settings_.shown + " already, or about to be; disconnect first", TENON_FAULT_HOST,
                     false);
  auto connection = std::make_shared<Connection>(host_.raw(), settings_, &Transport::wake, this);
  auto failure = std::make_shared<Failure>();
  jobs_.start(
      deadline_ns, [connection, failure, timeout = time_left(deadline_ns)] { *failure = connection->open(timeout); },
      [this, connection, failure, deadline_ns](tenon_status status) {
        if (connection_ != connection || phase_ != Phase::connecting) return;  // disconnected meanwhile
        // After a timeout the worker may still write to `failure`.
        if (status == TENON_OK) return opened(*failure, deadline_ns);
        opened({TENON_ERR_TIMEOUT, true,
                "could not connect to " + settings_.shown + " in time; look whether the server hangs"},
               deadline_ns);
      });
  connection_ = std::move(connection);
  connect_token_ = token;
  phase_ = Phase::connecting;
  report(TENON_TRANSPORT_CONNECTING);
}

void Transport::opened(const Failure& failure, std::uint64_t deadline_ns) {
  if (!failure.ok()) return connect_failed(failure);
  // Connected means that the server knows all subscriptions; with none, a round trip would prove nothing new.
  const std::uint64_t number = begin(0, Awaited::connected, deadline_ns);
  greeted_ = true;
  std::size_t left = subscriptions_.size();
  for (const auto& [subscription, wanted] : subscriptions_)
    connection_->add({Outgoing::What::subscribe, --left == 0 ? number : 0, false, nullptr, subscription, wanted.pattern,
                      wanted.group});
  if (subscriptions_.empty()) complete(*calls_.take(number), {});
}

void Transport::connect_failed(const Failure& failure) {
  let_go();
  phase_ = Phase::idle;
  report(TENON_TRANSPORT_DISCONNECTED, &failure);
  host_.complete(connect_token_, failure.code, failure.text, TENON_FAULT_REMOTE, failure.retryable);
}

void Transport::disconnect(std::uint64_t token, std::uint64_t deadline_ns) {
  if (phase_ == Phase::disconnecting)
    throw sdk::Error(TENON_ERR_WRONG_STATE, "a disconnect is under way already; wait for its completion",
                     TENON_FAULT_HOST, false);
  if (phase_ == Phase::broken) return host_.complete(token);  // nothing is left to end, and nothing brings it back
  const Phase before = phase_;
  disconnect_token_ = token;
  if (before == Phase::connected || before == Phase::reconnecting) {
    auto failure = std::make_shared<Failure>();
    jobs_.start(
        deadline_ns + kSlack,
        [connection = connection_, failure, timeout = time_left(deadline_ns)] {
          *failure = connection->drain(timeout);
        },
        [this, failure](tenon_status status) {
          drained(status == TENON_OK
                      ? *failure
                      : Failure{TENON_ERR_TIMEOUT, false, "the server did not let the connection end in time"});
        });
    phase_ = Phase::disconnecting;
    greeted_ = false;
    return;
  }
  phase_ = Phase::disconnecting;
  if (before == Phase::connecting)
    host_.complete(connect_token_, TENON_ERR_CANCELLED, "disconnected before it was connected", TENON_FAULT_HOST, true);
  drained({});
}

void Transport::drained(const Failure& failure) {
  take_notes();  // what came in before the end still counts
  let_go();
  phase_ = Phase::idle;
  report(TENON_TRANSPORT_DISCONNECTED);
  if (failure.ok()) return host_.complete(disconnect_token_);
  host_.complete(disconnect_token_, failure.code, failure.text, TENON_FAULT_REMOTE, failure.retryable);
}

// Parts with the connection; what still waited for it ends.
void Transport::let_go() {
  greeted_ = false;
  if (connection_) {
    connection_->silence();
    sdk::guarded_void([this] { close_apart(std::move(connection_)); });
    connection_.reset();
  }
  drop_backlog();
  awaiting_.clear();
  for (const Call& call : calls_.take_all()) {
    if (call.awaited != Awaited::connected)
      complete(call, {TENON_ERR_UNAVAILABLE, true,
                      "the connection to " + settings_.shown + " ended before the answer came; send again"});
  }
  set_back_pressure(false);
}

void Transport::report(std::uint32_t state, const Failure* why) {
  if (why == nullptr) return host_.raw()->transport_state(host_.raw()->context, state, nullptr);
  tenon_error error;
  TENON_INIT(&error);
  sdk::fill(error, why->code, why->text, TENON_FAULT_REMOTE, why->retryable);
  host_.raw()->transport_state(host_.raw()->context, state, &error);
}

// --- calls ---

void Transport::require_connected() const {
  if (phase_ == Phase::connected) return;
  if (phase_ == Phase::reconnecting || phase_ == Phase::connecting)
    throw sdk::unavailable("not connected to " + settings_.shown + " at the moment; it keeps trying");
  if (phase_ == Phase::broken)
    throw sdk::Error(TENON_ERR_UNAVAILABLE, "gave up " + settings_.shown + "; mend the cause and reload the transport",
                     TENON_FAULT_REMOTE, false);
  throw sdk::Error(TENON_ERR_WRONG_STATE, "not connected to " + settings_.shown + "; connect first", TENON_FAULT_HOST,
                   false);
}

MessagePtr Transport::make_message(const tenon_message& message, std::string_view subject,
                                   const std::string& reply) const {
  if (const char* fault = transports::subject_fault(subject))
    throw refused("illegal subject \"" + one_line(subject) + "\": " + fault);
  const std::string_view content_type = sdk::from_abi(message.content_type);
  if (message.encoded.size == 0) throw refused("the event is not encoded; give the transport a serializer");
  if (content_type.size() > kContentTypeMax || one_line(content_type) != content_type)
    throw refused("the content type has control characters or more than 255 octets");
  const std::size_t limit = connection_->max_payload();
  if (limit != 0 && message.encoded.size > limit)
    throw refused("the event has " + std::to_string(message.encoded.size) + " octets, the server accepts " +
                  std::to_string(limit) + "; send less, or raise its max_payload");
  natsMsg* raw = nullptr;
  const std::string terminated(subject);
  natsStatus status =
      natsMsg_Create(&raw, terminated.c_str(), reply.empty() ? nullptr : reply.c_str(),
                     reinterpret_cast<const char*>(message.encoded.data), static_cast<int>(message.encoded.size));
  MessagePtr out(raw);
  if (status == NATS_OK && !content_type.empty() && connection_->has_headers())
    status = natsMsgHeader_Set(raw, kContentTypeHeader, to_wire(content_type).c_str());
  const Failure failure = failure_of(status, "cannot make a message", last_error_text());
  if (!failure.ok()) throw sdk::Error(failure.code, failure.text, TENON_FAULT_PLUGIN, failure.retryable);
  return out;
}

std::uint64_t Transport::begin(std::uint64_t token, Awaited awaited, std::uint64_t deadline_ns,
                               std::uint64_t subscription) {
  const std::uint64_t number = next_number_++;
  calls_.add(number, deadline_ns, {token, awaited, deadline_ns, subscription});
  return number;
}

// Gives the outbox its part of a call that has begun; without room, the call is refused.
void Transport::put(std::uint64_t number, Outgoing item) {
  item.number = number;
  if (connection_->add(std::move(item))) return;
  calls_.take(number);
  set_back_pressure(true);
  throw sdk::Error(TENON_ERR_EXHAUSTED,
                   std::to_string(settings_.max_pending) + " octets wait for " + settings_.shown +
                       " already; send slower, or raise max_pending",
                   TENON_FAULT_REMOTE, true);
}

void Transport::send(const tenon_message& message, bool settle, std::uint64_t token, std::uint64_t deadline_ns) {
  require_connected();
  Outgoing item{Outgoing::What::publish, 0, settle, make_message(message, sdk::from_abi(message.topic), {})};
  put(begin(token, settle ? Awaited::settled : Awaited::written, deadline_ns), std::move(item));
}

void Transport::request(const tenon_message& message, std::uint64_t token, std::uint64_t deadline_ns) {
  require_connected();
  const std::string answer_to = connection_->inbox() + "." + hexadecimal(next_number_);
  Outgoing item{Outgoing::What::publish, 0, false, make_message(message, sdk::from_abi(message.topic), answer_to)};
  put(begin(token, Awaited::answer, deadline_ns), std::move(item));
}

void Transport::reply(std::string_view reply, const tenon_message& message, std::uint64_t token,
                      std::uint64_t deadline_ns) {
  require_connected();
  Outgoing item{Outgoing::What::publish, 0, false, make_message(message, reply, {})};
  put(begin(token, Awaited::written, deadline_ns), std::move(item));
}

void Transport::subscribe(std::uint64_t subscription, std::string_view pattern, std::string_view group,
                          std::uint64_t token, std::uint64_t deadline_ns) {
  if (const char* fault = transports::pattern_fault(pattern))
    throw refused("illegal pattern \"" + one_line(pattern) + "\": " + fault);
  if (const char* fault = group.empty() ? nullptr : transports::group_fault(group))
    throw refused("illegal group \"" + one_line(group) + "\": " + fault);
  if (subscriptions_.size() >= kSubscriptionsMax)
    throw sdk::Error(TENON_ERR_EXHAUSTED, "10000 subscriptions of one connection are the limit; use wildcards",
                     TENON_FAULT_CALLER, false);
  if (subscriptions_.count(subscription) != 0)
    throw sdk::Error(TENON_ERR_ALREADY_EXISTS, "subscription " + std::to_string(subscription) + " exists already",
                     TENON_FAULT_HOST, false);
  const bool now = knows_subscriptions();
  const std::uint64_t call = now ? begin(token, Awaited::subscribed, deadline_ns, subscription) : 0;
  if (now)
    put(call, {Outgoing::What::subscribe, 0, false, nullptr, subscription, std::string(pattern), std::string(group)});
  subscriptions_.emplace(subscription, Subscription{std::string(pattern), std::string(group), call});
  if (!now) host_.complete(token);
}

void Transport::unsubscribe(std::uint64_t subscription, std::uint64_t token, std::uint64_t deadline_ns) {
  if (subscriptions_.count(subscription) == 0)
    throw sdk::Error(TENON_ERR_NOT_FOUND, "there is no subscription " + std::to_string(subscription), TENON_FAULT_HOST,
                     false);
  const bool now = knows_subscriptions();
  if (now)
    put(begin(token, Awaited::subscribed, deadline_ns), {Outgoing::What::unsubscribe, 0, false, nullptr, subscription});
  subscriptions_.erase(subscription);
  if (!now) host_.complete(token);
}

void Transport::health_check(std::uint64_t token, std::uint64_t deadline_ns) {
  require_connected();
  awaiting_.push_back({begin(token, Awaited::settled, deadline_ns), 0, true});
  start_round_trip();
}

void Transport::complete(const Call& call, const Failure& failure) {
  if (call.awaited == Awaited::connected) {
    if (!failure.ok()) return connect_failed(failure);
    phase_ = Phase::connected;
    report(TENON_TRANSPORT_CONNECTED);
    return host_.complete(connect_token_);
  }
  if (call.awaited != Awaited::answer) {
    if (failure.ok()) return host_.complete(call.token);
    return host_.complete(call.token, failure.code, failure.text, TENON_FAULT_REMOTE, failure.retryable);
  }
  tenon_error error;
  TENON_INIT(&error);
  sdk::fill(error, failure.code, failure.text, TENON_FAULT_REMOTE, failure.retryable);
  host_.raw()->complete_request(host_.raw()->context, call.token, nullptr, &error);
}

// One at a time; what begins to wait meanwhile shares the next one.
void Transport::start_round_trip() {
  if (round_trip_under_way_ || awaiting_.empty() || !connection_) return;
  auto batch = std::exchange(awaiting_, {});
  const std::uint64_t now = host_.monotonic_ns();
  std::uint64_t deadline = now + kMillisecond;
  for (const AwaitsRoundTrip& waiting : batch) {
    if (const Call* call = calls_.find(waiting.number)) deadline = std::max(deadline, call->deadline_ns);
  }
  deadline = std::min(deadline, now + kLongestRoundTrip);
  auto result = std::make_shared<Flushed>();
  auto work = [connection = connection_, result, timeout = time_left(deadline)] {
    *result = connection->flush(timeout);
  };
  auto done = [this, connection = connection_, result, batch](tenon_status status) {
    round_trip_under_way_ = false;
    if (status == TENON_OK) return round_trip_ended(batch, *result);
    round_trip_ended(batch, {{TENON_ERR_TIMEOUT, true,
                              "no round trip to " + settings_.shown + " in time; look whether the server hangs"},
                             0,
                             {}});
  };
  try {
    jobs_.start(deadline + kSlack, std::move(work), std::move(done));
    round_trip_under_way_ = true;
  } catch (const sdk::Error& error) {
    round_trip_ended(batch, {{error.code(), true, error.what()}, 0, {}});
  }
}

void Transport::round_trip_ended(const std::vector<AwaitsRoundTrip>& batch, const Flushed& flushed) {
  const Failure& failure = flushed.failure;
  for (const AwaitsRoundTrip& waiting : batch) {
    const auto call = calls_.take(waiting.number);
    if (!call) continue;  // its deadline has passed, or the connection ended
    const auto wanted = subscriptions_.find(call->subscription);
    const bool refused = call->awaited == Awaited::subscribed && wanted != subscriptions_.end() &&
                         wanted->second.call == waiting.number && flushed.refused.count(wanted->second.pattern) != 0;
    const bool broke = !waiting.any_epoch && waiting.epoch != flushed.epoch;
    // nats.c keeps subscriptions itself and says them again when it has reconnected.
    const bool kept = call->awaited == Awaited::subscribed && failure.code == TENON_ERR_UNAVAILABLE;
    if (failure.ok() && refused) {
      subscription_refused(*call, connection_->not_permitted(wanted->second.pattern));
    } else if (failure.ok() && broke) {
      complete(*call, {TENON_ERR_UNAVAILABLE, true,
                       "the connection to " + settings_.shown + " broke before the server confirmed; send again"});
    } else {
      complete(*call, kept ? Failure() : failure);
    }
  }
  start_round_trip();
}

void Transport::set_back_pressure(bool on) {
  if (std::exchange(back_pressure_, on) != on) host_.raw()->transport_back_pressure(host_.raw()->context, on ? 1 : 0);
}

}  // namespace tenon::nats
