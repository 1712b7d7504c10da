// What threads tell the loop: completed work, events that came in, changes of the connection.
//
// The model. Any thread adds notes; the first one asks the host for a callback on the loop, which takes them all.
// Messages that came in are limited in octets until the loop has given them to the host; beyond that they are dropped
// and counted by subscription. After silence() nothing is kept and the host is never called again: the lock makes
// silence() wait for a call that is under way.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tenon/host.h>
#include <vector>

#include "library.hpp"

namespace tenon::nats {

struct Note {
  enum class What {
    handled,       // the outbox has done what `number` asked for, or has failed to (`failure`)
    incoming,      // `message` on subscription `number`
    answer,        // `message` on our inbox
    disconnected,  // `failure` says why
    reconnected,
    closed,   // for good; `failure` says why
    problem,  // `failure.text` for the log
    refused,  // the server does not permit subscribing to `pattern`
    room,     // the outbox takes more again
  };
  What what = What::problem;
  std::uint64_t number = 0;
  std::uint64_t epoch = 0;  // handled: how often the connection had been re-established before
  Failure failure = {};
  MessagePtr message = nullptr;
  std::string pattern = {};
};

// Octets that a message counts for.
std::size_t size_of(const natsMsg* message) noexcept;

class Notes {
 public:
  struct Taken {
    std::vector<Note> notes;
    std::map<std::uint64_t, std::uint64_t> dropped;  // subscription → events
  };

  Notes(const tenon_host* host, std::size_t max_octets, tenon_callback wake, void* argument)
      : host_(host), max_octets_(max_octets), wake_(wake), argument_(argument) {}

  void add(Note note);                // [any]
  void add(std::vector<Note> notes);  // [any] in order
  // An event or an answer that came in. Over the limit an event is dropped and counted, an answer is dropped and its
  // request ends at its deadline. [any]
  void add_message(Note::What what, std::uint64_t number, MessagePtr message);
  void add_dropped(std::uint64_t subscription, std::uint64_t count);  // [any]

  Taken take();                      // [loop]
  void release(std::size_t octets);  // messages of so many octets were handed over or thrown away [loop]
  void silence();                    // [loop]

 private:
  void wake_loop();

  const tenon_host* host_;
  const std::size_t max_octets_;
  const tenon_callback wake_;
  void* const argument_;
  std::mutex mutex_;
  Taken waiting_;
  std::size_t octets_ = 0;
  std::size_t problems_ = 0;  // among the waiting
  bool woken_ = false, silent_ = false;
};

}  // namespace tenon::nats
