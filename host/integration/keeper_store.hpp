// What the engine leaves with the keeper for its successor, sent until the link takes it.
//
// The model. A value that cannot be sent at once (the link's queue is full, or no descriptor is free) is *owed*: it
// is kept here, said once in the log, and sent again every kRetry until it is gone. A newer value for its key, or its
// erasure, takes its place, so the order per key is kept and at most one value a key is owed. Owed values die with
// the engine: its successor then knows the value before.
//
// All [loop].
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "event/loop.hpp"

namespace tenon::integration {

class KeeperStore {
 public:
  static constexpr std::chrono::milliseconds kRetry{20};

  // How a value is sent; an fd of -1: none. KeeperClient::put and ::erase but in tests.
  struct Link {
    std::function<Status(const std::string& key, const std::string& bytes, int fd)> put;
    std::function<Status(const std::string& key)> erase;
  };
  KeeperStore(event::Loop& loop, Link link) : loop_(loop), link_(std::move(link)) {}

  // The descriptor stays the caller's.
  void put(const std::string& key, std::string bytes, int fd = -1);
  void erase(const std::string& key);
  std::size_t owed() const noexcept { return owed_.size(); }

 private:
  struct Value {
    bool erased = false;
    std::string bytes;
    unique_fd descriptor;
  };
  Status send(const std::string& key, const Value& value);
  void owe(const std::string& key, Value value, const Error& why);
  void retry();

  event::Loop& loop_;
  Link link_;
  std::map<std::string, Value> owed_;
  event::Handle timer_;
};

}  // namespace tenon::integration
