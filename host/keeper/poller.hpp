// The keeper's epoll: descriptors with what they are, one wait, no callbacks.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <sys/epoll.h>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "common/unique_fd.hpp"

namespace tenon::keeper {

enum class Watched : std::uint32_t { signals, link, listener, client };

class Poller {
 public:
  struct Event {
    Watched what{};
    int fd = -1;
    bool readable = false, writable = false;
    bool hung_up = false;  // or broken
  };

  static Result<Poller> make();
  // Sets what is waited for; adds the descriptor if it is new. `events`: EPOLLIN, EPOLLOUT or both; 0: hang-up only.
  void watch(Watched what, int fd, std::uint32_t events);
  // Before the descriptor is closed: a duplicate elsewhere would keep it in epoll.
  void unwatch(int fd);
  // Waits until something happened or `deadline` has come. What it returns is valid until the next wait.
  std::span<const Event> wait(MonotonicTime now, MonotonicTime deadline);

 private:
  explicit Poller(unique_fd epoll) : epoll_(std::move(epoll)) {}
  static constexpr std::size_t kBatch = 64;

  unique_fd epoll_;
  std::array<Event, kBatch> events_;
};

}  // namespace tenon::keeper
