// One connection of nats.c, shared by the loop, the outbox, workers and the threads of nats.c.
//
// The model. made → open() on a worker → in use → close() on a worker or on a thread of its own. Everybody who may
// still be in a call of it holds a shared_ptr; the last one frees it. Nothing here waits on the loop: calls of the loop
// are add() and take_notes() only. Callbacks of nats.c come by number (callback_targets.hpp) and end in a Note.
//
// The epoch counts how often the connection was re-established. What was published in one epoch is known to have
// reached the server only if a round trip in the same epoch was answered: when the connection broke in between, it may
// be lost.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "notes.hpp"
#include "outbox.hpp"
#include "settings.hpp"

namespace tenon::nats {

// How a round trip ended.
struct Flushed {
  Failure failure;
  std::uint64_t epoch = 0;        // the one in which it was answered
  std::set<std::string> refused;  // patterns that the server does not permit
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  // `wake`(argument) is posted to the loop when notes wait.
  Connection(const tenon_host* host, Settings settings, tenon_callback wake, void* argument);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // --- [worker], blocking ---
  Failure open(std::chrono::milliseconds timeout);
  // A round trip to the server.
  Flushed flush(std::chrono::milliseconds timeout);
  // Sends all that waits, lets what came in arrive, closes. A failure means that something may be left.
  Failure drain(std::chrono::milliseconds timeout);
  // Ends everything at once; may wait for a write under way, at most the write deadline. Idempotent. [any but the loop]
  void close();

  // --- [loop] ---
  bool add(Outgoing item) { return outbox_.add(std::move(item)); }
  Notes& notes() noexcept { return notes_; }
  // From now on no callback does anything and the host is not called.
  void silence();

  // --- [any], after open() ---
  std::size_t max_payload() const noexcept { return max_payload_; }
  bool has_headers() const noexcept { return has_headers_; }
  Failure not_permitted(const std::string& pattern) const;
  const std::string& inbox() const noexcept {
    return inbox_;
  }  // prefix of the subjects of our answers, without the dot

  // --- from the threads of nats.c ---
  void on_message(std::uint64_t subscription, MessagePtr message);
  void on_answer(MessagePtr message);
  void on_disconnected(natsConnection* connection);
  void on_reconnected(natsConnection* connection);
  void on_closed(natsConnection* connection);
  void on_problem(natsConnection* connection, natsSubscription* subscription, natsStatus status);

 private:
  struct Subscribed {
    SubscriptionPtr handle;
    void* closure;
    std::int64_t dropped = 0;  // as told so far
  };
  std::vector<Note> perform(std::vector<Outgoing>&& batch);
  Failure publish(const Outgoing& item);
  Failure subscribe(const Outgoing& item);
  void unsubscribe(std::uint64_t subscription);
  Failure use(natsConnection* connection);
  Failure open_inbox();
  void learn_server(natsConnection* connection);
  natsStatus round_trip(Clock::time_point deadline);
  std::uint64_t epoch();
  void tell_dropped(std::uint64_t number, Subscribed& subscription);

  const Settings settings_;
  Notes notes_;
  void* closure_ = nullptr;
  ConnectionPtr connection_;  // set by open() under the lock, freed with this object
  std::string inbox_;
  SubscriptionPtr answers_;
  std::atomic<std::size_t> max_payload_{0};
  std::atomic<bool> has_headers_{false};
  std::mutex mutex_;  // of what follows; never held across a call that writes to the server
  std::condition_variable closed_changed_;
  std::map<std::uint64_t, Subscribed> subscriptions_;
  std::set<std::string> refused_;  // patterns of subscriptions, as the server told since they were asked for
  std::condition_variable refused_changed_;
  bool abandoned_ = false, closed_ = false;
  Outbox outbox_;  // last: its thread ends before what it uses
};

}  // namespace tenon::nats
