// Answers "503, try again" on the HTTP listeners while there is no engine to answer.
//
// The model. Off until start(). While on, every connection is accepted, its request read up to a limit and not
// looked at, answered, and closed when the client closes or after kPatience. At most kMaxClients at once: a further
// one takes the place of the oldest.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "common/clock.hpp"
#include "common/unique_fd.hpp"
#include "keeper/listeners.hpp"
#include "keeper/poller.hpp"

namespace tenon::keeper {

class UnavailableServer {
 public:
  static constexpr std::size_t kMaxClients = 64;
  static constexpr int kAcceptsPerTurn = 32;
  static constexpr Duration kPatience = std::chrono::seconds(2);

  explicit UnavailableServer(Poller& poller) : poller_(poller) {}

  bool on() const { return on_; }
  void start(const Listeners& listeners);
  // Connections that wait in the backlog are left to the engine; those that were accepted are closed.
  void stop();
  // Before a listener is closed.
  void forget(int listener);
  void on_listener(int listener, MonotonicTime now);
  void on_client(int client);
  void expire(MonotonicTime now);
  std::optional<MonotonicTime> next_deadline() const;

 private:
  struct Client {
    unique_fd socket;
    MonotonicTime deadline;
    bool answered = false;
  };

  Poller& poller_;
  bool on_ = false;
  std::vector<int> listening_;    // not owned
  std::deque<Client> clients_;    // oldest first
};

}  // namespace tenon::keeper
