#include "control/acceptor.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <utility>

#include "common/logging.hpp"
#include "common/system.hpp"

namespace tenon::control {

Result<std::unique_ptr<Acceptor>> Acceptor::open(event::Loop& loop, unique_fd listener,
                                                 std::function<void(unique_fd)> on_connection) {
  // Another engine, or the keeper, may take the connection between our look and our accept.
  TENON_TRY(set_nonblocking(listener.get()));
  std::unique_ptr<Acceptor> acceptor(new Acceptor(loop, std::move(listener), std::move(on_connection)));
  auto watch = loop.watch(acceptor->listener_.get(), event::Interest::read,
                          [raw = acceptor.get()](event::Interest) { raw->accept_some(); });
  if (!watch) return std::move(watch).error().with_context("watch the control socket");
  acceptor->watch_ = std::move(watch).value();
  return acceptor;
}

void Acceptor::accept_some() {
  for (int i = 0; i < kPerTurn; ++i) {
    unique_fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) {
      complained_ = false;
      on_connection_(std::move(socket));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN) pause(errno);
    return;
  }
}

void Acceptor::pause(int error_number) {
  if (!std::exchange(complained_, true)) {
    log::warn("control", "cannot take connections; raise the limit of open files",
              {{"reason", std::strerror(error_number)}});
  }
  watch_->set_interest(event::Interest::none);
  resume_ = loop_.after(kPause, [this] { watch_->set_interest(event::Interest::read); });
}

}  // namespace tenon::control
