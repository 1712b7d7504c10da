// Takes connections from a listening socket. [loop]
#pragma once

#include <functional>
#include <memory>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "event/loop.hpp"

namespace tenon::control {

class Acceptor {
 public:
  static constexpr int kPerTurn = 32;
  // How long no connection is taken after the kernel refused one for want of descriptors or memory; they wait in the
  // backlog.
  static constexpr Duration kPause = std::chrono::milliseconds(100);

  // The socket listens already and may be shared with the keeper. Each connection is non-blocking and close-on-exec.
  static Result<std::unique_ptr<Acceptor>> open(event::Loop& loop, unique_fd listener,
                                                std::function<void(unique_fd)> on_connection);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

 private:
  Acceptor(event::Loop& loop, unique_fd listener, std::function<void(unique_fd)> on_connection)
      : loop_(loop), listener_(std::move(listener)), on_connection_(std::move(on_connection)) {}
  void accept_some();
  void pause(int error_number);

  event::Loop& loop_;
  unique_fd listener_;
  std::function<void(unique_fd)> on_connection_;
  std::unique_ptr<event::FdWatch> watch_;  // below the descriptor: it leaves the reactor first
  event::Handle resume_;
  bool complained_ = false;
};

}  // namespace tenon::control
