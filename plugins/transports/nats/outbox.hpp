// Everything that goes to the server, in order, on a thread of its own.
//
// Why a thread: nats.c writes to its socket within publish and subscribe, holding the connection's lock, and waits up
// to the write deadline when the server does not read. The loop must never wait, not even for that lock; so the loop
// only appends here. Octets that wait are limited. What has been done, or could not be, is told with a Note each.
#pragma once

#include <condition_variable>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "notes.hpp"

namespace tenon::nats {

struct Outgoing {
  enum class What { publish, subscribe, unsubscribe };
  What what = What::publish;
  std::uint64_t number = 0;        // of the call; 0: nobody waits for it
  bool wants_epoch = false;        // publish: the note must say in which epoch
  MessagePtr message = nullptr;    // publish
  std::uint64_t subscription = 0;  // the others
  std::string pattern = {}, group = {};
};

class Outbox {
 public:
  // Does a batch, in order, and returns what to tell. Runs on the outbox's thread, which must not be the caller of
  // stop().
  using Perform = std::function<std::vector<Note>(std::vector<Outgoing>&& batch)>;

  Outbox(Notes& notes, std::size_t max_octets) : notes_(notes), max_octets_(max_octets) {}
  ~Outbox() { stop(); }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  void start(Perform perform);
  // False: over the limit; a Note `room` follows when half of it is free again. [any]
  bool add(Outgoing item);
  // Waits until all that was added is done. False: not by then. [worker]
  bool wait_until_empty(std::chrono::steady_clock::time_point deadline);
  // Ends the thread after the batch under way; drops the rest. [worker]
  void stop();

 private:
  static std::size_t octets_of(const Outgoing& item) noexcept;
  void run();

  Notes& notes_;
  const std::size_t max_octets_;
  Perform perform_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Outgoing> waiting_;
  std::size_t octets_ = 0;  // waiting and in the batch under way
  bool busy_ = false, sleeping_ = false, stopping_ = false, refused_ = false;
  std::thread thread_;
};

}  // namespace tenon::nats
