// transport/local: one instance, that is, one host's membership in the hosts that meet at one unix socket.
//
// The model. Idle → connecting → member → (lost) reconnecting → member …, until disconnected. A member either listens
// (has a Hub) or is connected to who does (has a Link); nobody else can tell the difference. How an attempt proceeds:
//   connect  connect to the socket; nobody there: failed
//   listen   become the listener (listening.hpp); somebody else is: failed
//   auto     become the listener; somebody else is: connect to it; it does not listen yet: failed
// In this order, because a host whose engine restarts still holds its socket: connecting first, it would join itself.
// A failed attempt ends connect() in the modes connect and listen. In auto mode, and always after the connection was
// lost, it is repeated after a back-off of 5 ms doubled up to 2 s, each drawn from [d/2, d]. So when the listening host
// dies, one of the others takes its place and the rest find it; when only its engine dies, they queue at its socket.
//
// What waits for an answer when the connection is lost ends as UNAVAILABLE. While reconnecting, send, request, reply
// and health_check are refused so; subscriptions are only noted, and say themselves when the connection is back.
//
// Settled (send with settle): the listener has routed the event. Not settled: it is in our bounded output buffer. A
// full buffer refuses with EXHAUSTED and reports back-pressure until it is half empty.
//
// Disconnecting waits until the listener has answered a last PING, so everything sent before has arrived and is
// acknowledged; the listener itself waits until its peers' buffers are empty.
//
// Loop thread only. Completions may come before the call that they belong to has returned.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tenon/sdk/transport.hpp>

#include "../shared/pending_calls.hpp"
#include "hub.hpp"
#include "inbox.hpp"
#include "link.hpp"
#include "listening.hpp"

namespace tenon::local {

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
  void resume() { inbox_.resume(); }

 private:
  enum class Mode { automatic, listen, connect };
  enum class Phase { idle, connecting, member, reconnecting, disconnecting };
  enum class Awaited { completion, answer, farewell };  // the last is our own PING before a disconnect
  struct Call {
    std::uint64_t token;
    Awaited awaited;
  };
  struct Subscription {
    std::string pattern, group;
  };

  // Becoming a member, and ceasing to be one.
  void attempt();
  void listening_ended(std::unique_ptr<ListenSocket> socket, const sdk::Error* why);
  void become_listener(std::unique_ptr<ListenSocket> socket);
  void try_connecting();
  void listen_anew(std::uint64_t exchange);
  void attempt_failed(const sdk::Error& why);
  void try_again(const sdk::Error& why);
  void joined();
  void lost(tenon_status code, const std::string& why);
  void connecting_timed_out();
  void leave();
  void retire(std::shared_ptr<void> role);
  void when_drained();
  void finish_disconnect(bool complete);

  // Calls.
  Message checked(const tenon_message& message) const;
  void require_member() const;
  std::uint64_t expect_answer(std::uint64_t token, std::uint64_t deadline_ns, Awaited awaited = Awaited::completion);
  template <class Write>
  void write(std::uint64_t exchange, Write&& frame);
  void answered(std::uint64_t exchange, const Message* answer, tenon_status status, std::string_view why);
  void fail_call(const Call& call, tenon_status code, std::string_view why, bool retryable);
  void finish(std::uint64_t token, Outcome outcome);
  void deliver(std::uint64_t subscription, const Message& message, std::string_view reply, bool& taken);
  void report(std::uint32_t state, const sdk::Error* why = nullptr);
  void set_back_pressure(bool on);

  sdk::Host host_;
  Mode mode_;
  std::string path_, url_, node_;
  Limits limits_;
  Flusher flusher_;
  Inbox inbox_;
  Listening listening_;
  Phase phase_ = Phase::idle;
  std::uint64_t connect_token_ = 0, disconnect_token_ = 0;
  std::uint64_t next_delay_ns_ = 0;
  std::string last_error_;  // of the attempts of a connect() under way
  sdk::Timer retry_, deadline_;
  std::map<std::uint64_t, Subscription> subscriptions_;
  std::uint64_t next_exchange_ = 1;
  transports::PendingCalls<Call> calls_;
  bool back_pressure_ = false, farewell_sent_ = false;
  std::shared_ptr<Hub> hub_;  // at most one of the two
  std::shared_ptr<Link> link_;
  std::vector<std::shared_ptr<void>> retired_;  // may still be on the stack; freed by the next turn of the loop
};

}  // namespace tenon::local
