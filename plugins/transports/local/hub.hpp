// The listening side: accepts the other hosts, keeps all subscriptions and routes every event between them.
//
// The model. A peer is accepted if its credentials are ours, introduces itself within 5 s, and from then on subscribes,
// publishes, asks and answers. The listening host is a peer too (kSelf), without a socket. Routing an event:
//   1. more than kHopsMax hops: dropped and counted;
//   2. the matching members whose node is not the event's origin; of each group one, in turn, the next if it is full;
//   3. what they get is put into their bounded buffers; a peer whose buffer is full loses it, which is counted as
//      slow_peer_drops, and nobody waits for it.
// The outcome is OK if anybody got it or nobody wanted it, retryable EXHAUSTED if somebody wanted it and nobody had
// room (so repeating it duplicates nothing).
//
// A request is routed likewise, with a reply address "<nonce>.<number>" for its one answer; nobody there is UNAVAILABLE
// at once. The nonce is this hub's, so an answer meant for a predecessor reaches nobody. At most 65536 requests wait.
//
// Loop thread only. `Self` is called synchronously from within the calls below.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tenon/sdk/host.hpp>

#include "../shared/pending_calls.hpp"
#include "frame_stream.hpp"
#include "interest.hpp"
#include "unix_socket.hpp"

namespace tenon::local {

struct Limits {
  std::size_t max_frame;   // octets, accepted and sent
  std::size_t max_buffer;  // octets, waiting for one connection
};

// How a routing step ended; `why` is static text.
struct Outcome {
  tenon_status status = TENON_OK;
  const char* why = "";
};

class Hub {
 public:
  // The listening host as a receiver.
  struct Self {
    std::function<bool(std::uint64_t subscription, const Message&, std::string_view reply)> deliver;  // false: no room
    std::function<void(std::uint64_t exchange, const Message* answer, Outcome)> answered;  // null: refused, see outcome
    std::function<void()> drained;  // some peer has taken all that waited for it; see buffered()
  };

  Hub(sdk::Host host, Flusher& flusher, std::unique_ptr<ListenSocket> socket, Limits limits, Self self);

  ~Hub() { close(); }
  // Stops listening and disconnects everybody. Afterwards nothing is called any more, but the object must live until
  // the calls that are under way have returned.
  void close();

  // What the listening host does. Exchange numbers are its own.
  InterestTable::Added subscribe(std::uint64_t subscription, std::string_view pattern, std::string_view group);
  void unsubscribe(std::uint64_t subscription) { interest_.remove(kSelf, subscription); }
  Outcome publish(const Message& message) { return route(message, {}); }
  void request(std::uint64_t exchange, std::uint64_t deadline_ns, const Message& message) {
    ask(kSelf, exchange, deadline_ns, message);
  }
  Outcome reply(std::string_view address, const Message& message);

  // Whether others find the socket under its name. Somebody may have removed that; then: stop_listening(), which hurts
  // no peer, and listen() at a new one.
  bool is_reachable() const noexcept { return socket_ != nullptr && socket_->is_reachable(); }
  void stop_listening();
  void listen(std::unique_ptr<ListenSocket> socket);
  std::size_t buffered() const;  // octets that wait for all peers together
  std::size_t peers() const noexcept { return peers_.size(); }
  void flush();

 private:
  struct Peer {
    std::shared_ptr<FrameStream> stream;
    pid_t pid = 0;
    std::string node;  // empty until HELLO
    sdk::Timer introduce_by;
    bool dropping = false;
    std::size_t max_frame = 0;
  };
  struct Asked {
    PeerId peer;
    std::uint64_t exchange;
    std::uint64_t number;
  };

  void accept_some();
  void add_peer(Fd fd);
  void drop_peer(PeerId id, const std::string& why);
  void on_frame(PeerId id, const Frame& frame);
  void on_hello(PeerId id, Peer& peer, const Frame& frame);
  void on_subscribe(PeerId id, Peer& peer, const Frame& frame);
  void warn_of_twin(const Peer& peer);
  void acknowledge(PeerId id, std::uint64_t exchange, Outcome outcome);

  Outcome route(const Message& message, std::string_view reply);
  bool give(const Member& member, const Message& message, std::string_view reply);
  bool send_to_peer(PeerId id, std::span<const std::uint64_t> subscriptions, const Message& message,
                    std::string_view reply);
  void ask(PeerId peer, std::uint64_t exchange, std::uint64_t deadline_ns, const Message& message);
  void answer(const Asked& asked, const Message* message, Outcome outcome);

  sdk::Host host_;
  Flusher& flusher_;
  Limits limits_;
  Self self_;
  std::string node_;
  std::uint64_t nonce_;
  std::unique_ptr<ListenSocket> socket_;  // null: stopped
  sdk::FdWatch accepting_;
  sdk::Timer accept_again_;
  std::map<PeerId, Peer> peers_;
  PeerId next_peer_ = 1;
  InterestTable interest_;
  std::uint64_t next_request_ = 1;
  transports::PendingCalls<Asked> requests_;
};

}  // namespace tenon::local
