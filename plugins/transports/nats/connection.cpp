#include "connection.hpp"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "callback_targets.hpp"

namespace tenon::nats {

namespace {

constexpr auto kSlice = std::chrono::milliseconds(1000);  // of the wait for a round trip
constexpr int kPendingMessages = 65536;  // per subscription, within nats.c; ours are limited in octets

std::chrono::milliseconds left_until(Connection::Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Connection::Clock::now());
  return std::max(left, std::chrono::milliseconds(1));
}

std::string reason_of(natsConnection* connection) {
  const char* text = nullptr;
  natsConnection_GetLastError(connection, &text);
  return text == nullptr ? std::string() : one_line(text);
}

// The pattern of the subscription that the server's words refuse; empty if they are about something else:
//   Permissions Violation for Subscription to "secret.>" using queue "q"
std::string refused_pattern(const char* text) {
  constexpr std::string_view kWords = "Permissions Violation for Subscription to \"";
  const std::string_view said = text == nullptr ? std::string_view() : std::string_view(text);
  const std::size_t words = said.find(kWords);
  if (words == std::string_view::npos) return {};
  const std::size_t from = words + kWords.size();
  return std::string(said.substr(from, said.find('"', from) - from));
}

// How long a round trip waits for nats.c to tell the errors that came before its answer, on the thread that it has for
// that.
constexpr auto kErrorsFollowWithin = std::chrono::milliseconds(500);

// The functions that nats.c calls. A target that is gone drops the call.
void message_came(natsConnection*, natsSubscription*, natsMsg* raw, void* closure) {
  MessagePtr message(raw);
  const CallbackTarget target = find_callback_target(closure);
  if (target.connection)
    sdk::guarded_void([&] { target.connection->on_message(target.subscription, std::move(message)); });
}

void answer_came(natsConnection*, natsSubscription*, natsMsg* raw, void* closure) {
  MessagePtr message(raw);
  const CallbackTarget target = find_callback_target(closure);
  if (target.connection) sdk::guarded_void([&] { target.connection->on_answer(std::move(message)); });
}

void disconnected(natsConnection* connection, void* closure) {
  const CallbackTarget target = find_callback_target(closure);
  if (target.connection) sdk::guarded_void([&] { target.connection->on_disconnected(connection); });
}

void reconnected(natsConnection* connection, void* closure) {
  const CallbackTarget target = find_callback_target(closure);
  if (target.connection) sdk::guarded_void([&] { target.connection->on_reconnected(connection); });
}

void closed(natsConnection* connection, void* closure) {
  const CallbackTarget target = find_callback_target(closure);
  if (target.connection) sdk::guarded_void([&] { target.connection->on_closed(connection); });
}

void problem(natsConnection* connection, natsSubscription* subscription, natsStatus status, void* closure) {
  const CallbackTarget target = find_callback_target(closure);
  if (target.connection) sdk::guarded_void([&] { target.connection->on_problem(connection, subscription, status); });
}

}  // namespace

Connection::Connection(const tenon_host* host, Settings settings, tenon_callback wake, void* argument)
    : settings_(std::move(settings)),
      notes_(host, settings_.max_pending, wake, argument),
      outbox_(notes_, settings_.max_pending) {}

Connection::~Connection() {
  silence();
  outbox_.stop();
}

void Connection::silence() {
  notes_.silence();
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  refused_changed_.notify_all();
  if (closure_ != nullptr) remove_callback_target(closure_);
  for (const auto& [number, subscription] : subscriptions_) remove_callback_target(subscription.closure);
}

Failure Connection::open(std::chrono::milliseconds timeout) {
  Failure failure;
  // Each server of the list is tried in turn, within the one deadline.
  const auto each = std::max(timeout / static_cast<int>(settings_.servers.size()), std::chrono::milliseconds(50));
  const OptionsPtr options = make_options(settings_, each, failure);
  if (!options) return failure;
  {
    const std::lock_guard lock(mutex_);
    if (abandoned_) return {TENON_ERR_CANCELLED, true, "destroyed while connecting"};
    closure_ = add_callback_target(weak_from_this(), 0);
  }
  natsOptions_SetDisconnectedCB(options.get(), &disconnected, closure_);
  natsOptions_SetReconnectedCB(options.get(), &reconnected, closure_);
  natsOptions_SetClosedCB(options.get(), &closed, closure_);
  natsOptions_SetErrorHandler(options.get(), &problem, closure_);
  natsConnection* raw = nullptr;
  const natsStatus status = natsConnection_Connect(&raw, options.get());
  if (status != NATS_OK) return failure_of(status, "cannot connect to " + settings_.shown, last_error_text());
  failure = use(raw);
  // Closed here and not by whoever lets go last, which may be a thread of nats.c.
  if (!failure.ok()) natsConnection_Close(raw);
  return failure;
}

Failure Connection::use(natsConnection* connection) {
  const Failure gone{TENON_ERR_CANCELLED, true, "destroyed while connecting"};
  learn_server(connection);
  {
    const std::lock_guard lock(mutex_);
    connection_.reset(connection);
    if (abandoned_) return gone;
  }
  const Failure failure = open_inbox();
  if (!failure.ok()) return failure;
  const std::lock_guard lock(mutex_);
  if (abandoned_) return gone;
  // A raw pointer: the thread is joined by close() or the destructor, both before the members go.
  outbox_.start([this](std::vector<Outgoing>&& batch) { return perform(std::move(batch)); });
  return {};
}

Failure Connection::open_inbox() {
  natsInbox* inbox = nullptr;
  natsStatus status = natsInbox_Create(&inbox);
  if (status != NATS_OK) return failure_of(status, "cannot make an inbox", last_error_text());
  inbox_ = inbox;
  natsInbox_Destroy(inbox);
  natsSubscription* raw = nullptr;
  status = natsConnection_Subscribe(&raw, connection_.get(), (inbox_ + ".*").c_str(), &answer_came, closure_);
  if (status != NATS_OK) return failure_of(status, "cannot subscribe to the inbox", last_error_text());
  answers_.reset(raw);
  return {};
}

void Connection::learn_server(natsConnection* connection) {
  const std::int64_t payload = natsConnection_GetMaxPayload(connection);
  max_payload_ = payload > 0 ? static_cast<std::size_t>(payload) : 0;
  has_headers_ = natsConnection_HasHeaderSupport(connection) == NATS_OK;
}

std::uint64_t Connection::epoch() {
  natsStatistics* raw = nullptr;
  std::uint64_t reconnects = 0, unused = 0;
  if (natsStatistics_Create(&raw) != NATS_OK) return UINT64_MAX;
  const StatisticsPtr statistics(raw);
  natsConnection_GetStats(connection_.get(), raw);
  natsStatistics_GetCounts(raw, &unused, &unused, &unused, &unused, &reconnects);
  return reconnects;
}

// In slices: a PING that is sent while nats.c reconnects waits for nothing, and would wait to the end of the deadline.
natsStatus Connection::round_trip(Clock::time_point deadline) {
  natsStatus status = NATS_TIMEOUT;
  while (status == NATS_TIMEOUT && Clock::now() < deadline) {
    if (natsConnection_Status(connection_.get()) != NATS_CONN_STATUS_CONNECTED) return NATS_CONNECTION_DISCONNECTED;
    status = natsConnection_FlushTimeout(connection_.get(), std::min(left_until(deadline), kSlice).count());
  }
  return status;
}

Flushed Connection::flush(std::chrono::milliseconds timeout) {
  const natsStatus status = round_trip(Clock::now() + timeout);
  if (status != NATS_OK) return {failure_of(status, "no round trip to " + settings_.shown, last_error_text()), 0, {}};
  const std::uint64_t epoch_now = epoch();
  // The last refusal that came before the answer: when it has been told, so have all before it.
  const char* text = nullptr;
  natsConnection_GetLastError(connection_.get(), &text);
  const std::string last = refused_pattern(text);
  std::unique_lock lock(mutex_);
  if (!last.empty())
    refused_changed_.wait_for(lock, kErrorsFollowWithin, [&] { return refused_.count(last) != 0 || abandoned_; });
  for (auto& [number, subscription] : subscriptions_) tell_dropped(number, subscription);
  return {{}, epoch_now, refused_};
}

Failure Connection::not_permitted(const std::string& pattern) const {
  return {TENON_ERR_PERMISSION, false,
          settings_.shown + " does not permit subscribing to \"" + one_line(pattern) +
              "\"; nothing comes in on it until the server's authorization lets this user subscribe"};
}

Failure Connection::drain(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  const Failure late{TENON_ERR_TIMEOUT, false, "disconnected before everything was sent; what was left is lost"};
  bool complete = outbox_.wait_until_empty(deadline);
  complete = complete && natsConnection_FlushTimeout(connection_.get(), left_until(deadline).count()) == NATS_OK;
  if (complete && natsConnection_DrainTimeout(connection_.get(), left_until(deadline).count()) == NATS_OK) {
    std::unique_lock lock(mutex_);
    complete = closed_changed_.wait_until(lock, deadline, [this] { return closed_ || abandoned_; });
  }
  close();
  return complete ? Failure() : late;
}

void Connection::close() {
  natsConnection* connection = nullptr;
  {
    const std::lock_guard lock(mutex_);
    connection = connection_.get();  // null while open() is still at it, which then finds abandoned_
  }
  if (connection != nullptr) natsConnection_Close(connection);
  outbox_.stop();
  release_thread_memory();
}

// --- on the outbox's thread ---

std::vector<Note> Connection::perform(std::vector<Outgoing>&& batch) {
  std::vector<Note> told;
  const bool connected = natsConnection_Status(connection_.get()) == NATS_CONN_STATUS_CONNECTED;
  const Failure away = failure_of(NATS_CONNECTION_DISCONNECTED, "not connected to " + settings_.shown);
  std::uint64_t epoch_now = UINT64_MAX;
  for (Outgoing& item : batch) {
    Note note{Note::What::handled, item.number};
    switch (item.what) {
      case Outgoing::What::publish:
        // Read before the publish: if the connection breaks after it, the epochs differ and nothing is called settled.
        if (item.wants_epoch && epoch_now == UINT64_MAX) epoch_now = epoch();
        note.epoch = epoch_now;
        note.failure = connected ? publish(item) : away;
        break;
      case Outgoing::What::subscribe: note.failure = subscribe(item); break;
      case Outgoing::What::unsubscribe: unsubscribe(item.subscription); break;
    }
    item.message.reset();
    if (item.number != 0) told.push_back(std::move(note));
  }
  return told;
}

Failure Connection::publish(const Outgoing& item) {
  const natsStatus status = natsConnection_PublishMsg(connection_.get(), item.message.get());
  if (status == NATS_OK) return {};
  return failure_of(status, "cannot publish to " + settings_.shown, last_error_text());
}

Failure Connection::subscribe(const Outgoing& item) {
  void* closure = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (abandoned_) return {TENON_ERR_CANCELLED, true, "destroyed"};
    refused_.erase(item.pattern);  // what the server said the last time
    closure = add_callback_target(weak_from_this(), item.subscription);
  }
  natsSubscription* raw = nullptr;
  const char* const pattern = item.pattern.c_str();
  const natsStatus status =
      item.group.empty()
          ? natsConnection_Subscribe(&raw, connection_.get(), pattern, &message_came, closure)
          : natsConnection_QueueSubscribe(&raw, connection_.get(), pattern, item.group.c_str(), &message_came, closure);
  if (status != NATS_OK) {
    remove_callback_target(closure);
    return failure_of(status, "cannot subscribe to " + item.pattern, last_error_text());
  }
  natsSubscription_SetPendingLimits(raw, kPendingMessages,
                                    static_cast<int>(std::min<std::size_t>(settings_.max_pending, INT_MAX)));
  const std::lock_guard lock(mutex_);
  subscriptions_[item.subscription] = Subscribed{SubscriptionPtr(raw), closure};
  return {};
}

void Connection::unsubscribe(std::uint64_t number) {
  Subscribed ended;
  {
    const std::lock_guard lock(mutex_);
    const auto found = subscriptions_.find(number);
    if (found == subscriptions_.end()) return;
    ended = std::move(found->second);
    subscriptions_.erase(found);
  }
  remove_callback_target(ended.closure);
  natsSubscription_Unsubscribe(ended.handle.get());
}

// --- on the threads of nats.c ---

void Connection::on_message(std::uint64_t subscription, MessagePtr message) {
  notes_.add_message(Note::What::incoming, subscription, std::move(message));
}

void Connection::on_answer(MessagePtr message) {
  // The subject is our inbox, a dot and the number that the request went out with.
  const char* const subject = natsMsg_GetSubject(message.get());
  if (std::strlen(subject) <= inbox_.size() + 1) return;
  const std::uint64_t number = std::strtoull(subject + inbox_.size() + 1, nullptr, 16);
  notes_.add_message(Note::What::answer, number, std::move(message));
}

void Connection::on_disconnected(natsConnection* connection) {
  const Failure why =
      failure_of(NATS_CONNECTION_DISCONNECTED, "lost the connection to " + settings_.shown, reason_of(connection));
  notes_.add(Note{Note::What::disconnected, 0, 0, why});
}

void Connection::on_reconnected(natsConnection* connection) {
  learn_server(connection);
  notes_.add(Note{Note::What::reconnected});
}

void Connection::on_closed(natsConnection* connection) {
  const natsStatus reason = NATS_CONNECTION_CLOSED;
  notes_.add(Note{Note::What::closed, 0, 0, failure_of(reason, "gave up " + settings_.shown, reason_of(connection))});
  const std::lock_guard lock(mutex_);
  closed_ = true;
  closed_changed_.notify_all();
}

void Connection::on_problem(natsConnection* connection, natsSubscription* subscription, natsStatus status) {
  if (status == NATS_SLOW_CONSUMER) {
    const std::lock_guard lock(mutex_);
    for (auto& [number, subscribed] : subscriptions_) {
      if (subscribed.handle.get() == subscription) tell_dropped(number, subscribed);
    }
    return;
  }
  if (status == NATS_NOT_PERMITTED) {
    natsStatus ours = NATS_OK;
    std::string pattern = refused_pattern(nats_GetLastError(&ours));  // this thread's: of this very error
    if (!pattern.empty()) {
      notes_.add(Note{Note::What::refused, 0, 0, not_permitted(pattern), nullptr, pattern});
      const std::lock_guard lock(mutex_);
      refused_.insert(std::move(pattern));
      return refused_changed_.notify_all();
    }
  }
  Failure failure = failure_of(status, settings_.shown + " reports a problem", reason_of(connection));
  notes_.add(Note{Note::What::problem, 0, 0, std::move(failure)});
}

void Connection::tell_dropped(std::uint64_t number, Subscribed& subscription) {
  std::int64_t dropped = 0;
  if (natsSubscription_GetDropped(subscription.handle.get(), &dropped) != NATS_OK || dropped <= subscription.dropped)
    return;
  notes_.add_dropped(number, static_cast<std::uint64_t>(dropped - subscription.dropped));
  subscription.dropped = dropped;
}

}  // namespace tenon::nats
