// The half of Transport that becomes a member, stays one and ceases to be one; the model is in transport.hpp.
#include <algorithm>
#include <utility>

#include "transport.hpp"

namespace tenon::local {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kFirstDelay = 5 * kMillisecond;
constexpr std::uint64_t kLongestDelay = 2000 * kMillisecond;
constexpr std::uint64_t kHour = 3600 * 1000 * kMillisecond;  // the disconnect's own deadline comes first

}  // namespace

void Transport::connect(std::uint64_t token, std::uint64_t deadline_ns) {
  if (phase_ != Phase::idle)
    throw sdk::Error(TENON_ERR_WRONG_STATE, "connected to " + url_ + " already, or about to be; disconnect first",
                     TENON_FAULT_HOST);
  phase_ = Phase::connecting;
  connect_token_ = token;
  next_delay_ns_ = kFirstDelay;
  const std::uint64_t now = host_.monotonic_ns();
  deadline_ = host_.start_timer(deadline_ns > now ? deadline_ns - now : 0, 0, [this] { connecting_timed_out(); });
  report(TENON_TRANSPORT_CONNECTING);
  attempt();
}

void Transport::attempt() {
  if (mode_ != Mode::connect)
    return listening_.begin([this](std::unique_ptr<ListenSocket> socket, const sdk::Error* why) {
      listening_ended(std::move(socket), why);
    });
  try {
    try_connecting();
  } catch (const sdk::Error& error) {
    attempt_failed(error);
  }
}

void Transport::listening_ended(std::unique_ptr<ListenSocket> socket, const sdk::Error* why) {
  try {
    if (socket != nullptr) return become_listener(std::move(socket));
    const bool taken = why->code() == TENON_ERR_ALREADY_EXISTS && why->retryable();
    if (mode_ != Mode::automatic || !taken) return attempt_failed(*why);
    try_connecting();
  } catch (const sdk::Error& error) {
    attempt_failed(error);
  }
}

void Transport::become_listener(std::unique_ptr<ListenSocket> socket) {
  Hub::Self self;
  self.deliver = [this](std::uint64_t subscription, const Message& message, std::string_view reply) {
    bool taken = false;
    deliver(subscription, message, reply, taken);
    return taken;
  };
  self.answered = [this](std::uint64_t exchange, const Message* answer, Outcome outcome) {
    answered(exchange, answer, outcome.status, outcome.why);
  };
  self.drained = [this] { when_drained(); };
  hub_ = std::make_shared<Hub>(host_, flusher_, std::move(socket), limits_, std::move(self));
  for (const auto& [number, subscription] : subscriptions_)
    hub_->subscribe(number, subscription.pattern, subscription.group);
  host_.log(TENON_LOG_INFO, "listening at " + path_);
  joined();
}

// Somebody removed the socket's file. The peers stay; only the door is hung anew.
void Transport::listen_anew(std::uint64_t exchange) {
  if (listening_.under_way()) return;  // a second health check while the host answers the first: its deadline tells it
  host_.log(TENON_LOG_WARN, "somebody removed " + path_ + "; listening there anew");
  hub_->stop_listening();
  listening_.begin([this, exchange](std::unique_ptr<ListenSocket> socket, const sdk::Error* why) {
    if (socket == nullptr) return lost(TENON_ERR_UNAVAILABLE, why->what());
    try {
      hub_->listen(std::move(socket));
    } catch (const sdk::Error& error) {
      return lost(TENON_ERR_UNAVAILABLE, error.what());
    }
    answered(exchange, nullptr, TENON_OK, {});
  });
}

void Transport::try_connecting() {
  Fd fd = connect_socket(path_);
  Link::Handlers handlers;
  handlers.ready = [this] { joined(); };
  handlers.lost = [this](tenon_status code, const std::string& why) { lost(code, why); };
  handlers.deliver = [this](std::uint64_t subscription, const Message& message, std::string_view reply) {
    bool taken = false;
    deliver(subscription, message, reply, taken);
  };
  handlers.answered = [this](std::uint64_t exchange, const Message* answer, tenon_status status, std::string_view why) {
    answered(exchange, answer, status, why);
  };
  handlers.drained = [this] { when_drained(); };
  const auto introduce = [this](std::string& out) {
    for (const auto& [number, subscription] : subscriptions_)
      write_subscribe(out, 0, number, subscription.pattern, subscription.group);
  };
  link_ = std::make_shared<Link>(host_, flusher_, std::move(fd), limits_, introduce, std::move(handlers));
}

void Transport::attempt_failed(const sdk::Error& why) {
  const bool first = phase_ == Phase::connecting;
  // Two hosts that start together: the one without the lock finds the other as soon as that listens.
  const bool repeat = !first || (mode_ == Mode::automatic && why.retryable());
  if (repeat) return try_again(why);
  phase_ = Phase::idle;
  deadline_.cancel();
  report(TENON_TRANSPORT_DISCONNECTED, &why);
  host_.complete(connect_token_, why.code(), why.what(), why.fault(), why.retryable());
}

void Transport::try_again(const sdk::Error& why) {
  last_error_ = why.what();
  const std::uint64_t delay = next_delay_ns_ / 2 + host_.random() % (next_delay_ns_ / 2);
  next_delay_ns_ = std::min(next_delay_ns_ * 2, kLongestDelay);
  retry_ = host_.start_timer(delay, 0, [this] { attempt(); });
}

void Transport::joined() {
  const bool first = std::exchange(phase_, Phase::member) == Phase::connecting;
  next_delay_ns_ = kFirstDelay;
  deadline_.cancel();
  last_error_.clear();
  report(TENON_TRANSPORT_CONNECTED);
  if (first) host_.complete(connect_token_);
}

void Transport::lost(tenon_status code, const std::string& why) {
  const sdk::Error error(code, "lost the listening host of " + url_ + ": " + why, TENON_FAULT_REMOTE, true);
  const Phase before = phase_;
  if (before == Phase::member) phase_ = Phase::reconnecting;  // first: what leave() tells the host may make it send
  leave();
  if (before == Phase::disconnecting) return finish_disconnect(false);
  if (before == Phase::member) report(TENON_TRANSPORT_RECONNECTING, &error);
  if (phase_ == before && before == Phase::connecting) return attempt_failed(error);
  if (phase_ == Phase::reconnecting) try_again(error);
}

void Transport::connecting_timed_out() {
  const sdk::Error why(TENON_ERR_TIMEOUT,
                       "could not connect to " + url_ + " in time" + (last_error_.empty() ? "" : ": ") + last_error_,
                       TENON_FAULT_REMOTE, true);
  retry_.cancel();
  leave();
  phase_ = Phase::idle;
  report(TENON_TRANSPORT_DISCONNECTED, &why);
  host_.complete(connect_token_, why.code(), why.what(), why.fault(), why.retryable());
}

// Gives up the role. What still waited for an answer will get none.
void Transport::leave() {
  listening_.cancel();
  if (hub_) {
    hub_->close();
    retire(std::exchange(hub_, nullptr));
  }
  if (link_) {
    link_->close();
    retire(std::exchange(link_, nullptr));
  }
  for (const Call& call : calls_.take_all())
    fail_call(call, TENON_ERR_UNAVAILABLE, "the connection ended before the answer came; send again", true);
  set_back_pressure(false);
}

// A role may end within one of its own calls, so it is freed when those have returned.
void Transport::retire(std::shared_ptr<void> role) {
  retired_.push_back(std::move(role));
  if (retired_.size() > 1) return;
  host_.raw()->post_to_loop(
      host_.raw()->context, [](void* self) { static_cast<Transport*>(self)->retired_.clear(); }, this);
}

void Transport::disconnect(std::uint64_t token, std::uint64_t deadline_ns) {
  if (phase_ == Phase::disconnecting)
    throw sdk::Error(TENON_ERR_WRONG_STATE, "a disconnect is under way already; wait for its completion",
                     TENON_FAULT_HOST);
  if (phase_ == Phase::connecting)
    host_.complete(connect_token_, TENON_ERR_CANCELLED, "disconnected before it was connected", TENON_FAULT_HOST, true);
  const bool was_member = phase_ == Phase::member;
  farewell_sent_ = false;
  phase_ = Phase::disconnecting;
  disconnect_token_ = token;
  retry_.cancel();
  const std::uint64_t now = host_.monotonic_ns();
  deadline_ = host_.start_timer(deadline_ns > now ? deadline_ns - now : 0, 0, [this] { finish_disconnect(false); });
  if (!was_member) return finish_disconnect(true);
  if (hub_) hub_->flush();
  when_drained();
}

// Continues a disconnect, or lifts the back-pressure.
void Transport::when_drained() {
  set_back_pressure(false);
  if (phase_ != Phase::disconnecting) return;
  if (hub_) {
    if (hub_->buffered() == 0) finish_disconnect(true);
    return;
  }
  if (farewell_sent_) return;
  const std::uint64_t exchange = next_exchange_++;
  calls_.add(exchange, host_.monotonic_ns() + kHour, {0, Awaited::farewell});
  farewell_sent_ = link_->send([&](std::string& buffer) { write_ping(buffer, FrameType::ping, exchange); });
  if (!farewell_sent_) calls_.take(exchange);
}

void Transport::finish_disconnect(bool complete) {
  deadline_.cancel();
  leave();
  phase_ = Phase::idle;
  report(TENON_TRANSPORT_DISCONNECTED);
  if (complete) return host_.complete(disconnect_token_);
  host_.complete(disconnect_token_, TENON_ERR_TIMEOUT, "disconnected before everything was sent; what was left is lost",
                 TENON_FAULT_REMOTE, false);
}

}  // namespace tenon::local
