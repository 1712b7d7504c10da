// transport/nats: one instance, that is, one connection to a NATS server (or a cluster of them).
//
// The model. idle → connecting → connected ⇄ reconnecting → disconnecting → idle; broken when nats.c gave up, which it
// does only when the server refuses our credentials twice.
//
// The loop never calls into nats.c where that may wait. What goes out passes through the outbox's thread; what blocks
// (connecting, round trips, draining) runs on the host's workers; what comes in arrives as notes. See connection.hpp.
//
// When a call completes:
//   send, reply          nats.c has written it to the socket
//   send with settle,    and a round trip behind it was answered without the connection breaking in between; one
//   (un)subscribe        round trip at a time serves all that wait for one; fails if the server does not permit it
//   request              the first answer has come, or the server says that nobody listens (503)
//   health_check         a round trip was answered
// While reconnecting, everything but subscribe and unsubscribe is refused as UNAVAILABLE: what nats.c would buffer then
// is not delivered, only hoped for.
//
// Events travel in CloudEvents' structured mode; see content_type.hpp. Subjects, reply subjects and groups are checked
// here, because nats.c lets a line feed in them become a command to the server. Loop thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tenon/sdk/transport.hpp>
#include <vector>

#include "../shared/pending_calls.hpp"
#include "connection.hpp"
#include "worker_jobs.hpp"

namespace tenon::nats {

class Transport {
 public:
  Transport(sdk::Host host, const tenon_connection_config& config);
  ~Transport();
  void describe(tenon_transport_info& out) const;
  void connect(std::uint64_t token, std::uint64_t deadline_ns);
  void disconnect(std::uint64_t token, std::uint64_t deadline_ns);
  void send(const tenon_message& message, bool settle, std::uint64_t token, std::uint64_t deadline_ns);
  void request(const tenon_message& message, std::uint64_t token, std::uint64_t deadline_ns);
  void reply(std::string_view reply, const tenon_message& message, std::uint64_t token, std::uint64_t deadline_ns);
  void subscribe(std::uint64_t subscription, std::string_view pattern, std::string_view group, std::uint64_t token,
                 std::uint64_t deadline_ns);
  void unsubscribe(std::uint64_t subscription, std::uint64_t token, std::uint64_t deadline_ns);
  void health_check(std::uint64_t token, std::uint64_t deadline_ns);
  void resume();

 private:
  enum class Phase { idle, connecting, connected, reconnecting, disconnecting, broken };
  enum class Awaited { written, settled, subscribed, answer, connected };
  struct Call {
    std::uint64_t token;
    Awaited awaited;
    std::uint64_t deadline_ns;
    std::uint64_t subscription = 0;  // of what awaits `subscribed`
  };
  struct Subscription {
    std::string pattern, group;
    std::uint64_t call = 0;  // the number of the subscribe that made it; 0: it was made before the connection
  };
  struct AwaitsRoundTrip {
    std::uint64_t number;
    std::uint64_t epoch;  // in which it must be answered
    bool any_epoch;
  };

  // The connection's life.
  void opened(const Failure& failure, std::uint64_t deadline_ns);
  void connect_failed(const Failure& failure);
  void drained(const Failure& failure);
  void let_go();
  bool knows_subscriptions() const noexcept { return connection_ != nullptr && greeted_; }
  void report(std::uint32_t state, const Failure* why = nullptr);

  // Calls.
  void require_connected() const;
  MessagePtr make_message(const tenon_message& message, std::string_view subject, const std::string& reply) const;
  std::uint64_t begin(std::uint64_t token, Awaited awaited, std::uint64_t deadline_ns, std::uint64_t subscription = 0);
  void put(std::uint64_t number, Outgoing item);
  void complete(const Call& call, const Failure& failure);
  void start_round_trip();
  void round_trip_ended(const std::vector<AwaitsRoundTrip>& batch, const Flushed& flushed);
  std::chrono::milliseconds time_left(std::uint64_t deadline_ns) const;

  // Notes.
  static void wake(void* self) noexcept;
  void take_notes();
  void on_note(Note&& note);
  void on_handled(const Note& note);
  void on_answer(const Note& note);
  void on_refused(const Note& note);
  void subscription_refused(const Call& call, const Failure& failure);
  void drop_backlog();
  void on_state(const Note& note);
  bool hand_over(const Note& note);
  void release(const Note& note);
  void set_back_pressure(bool on);

  sdk::Host host_;
  const Settings settings_;
  Phase phase_ = Phase::idle;
  std::uint64_t connect_token_ = 0, disconnect_token_ = 0;
  std::shared_ptr<Connection> connection_;
  std::map<std::uint64_t, Subscription> subscriptions_;
  std::uint64_t next_number_ = 1;
  transports::PendingCalls<Call> calls_;
  std::vector<AwaitsRoundTrip> awaiting_;
  bool greeted_ = false;  // the connection was given all subscriptions, and gets each further one as it comes
  bool round_trip_under_way_ = false, back_pressure_ = false;
  std::deque<Note> backlog_;  // came in while the host had no room; its octets count in the connection's limit
  WorkerJobs jobs_;
};

}  // namespace tenon::nats
