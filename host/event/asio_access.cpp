#include "event/asio_access.hpp"

#include <cstdio>
#include <cstdlib>

#include "event/asio_host.hpp"
#include "event/loop.hpp"

namespace tenon::event {

boost::asio::io_context& asio_context(Loop& loop) { return detail::asio_host(loop).context(); }

namespace detail {

AsioHost& asio_host(Loop& loop) {
  if (auto* host = dynamic_cast<AsioHost*>(&loop)) return *host;
  std::fputs("tenon: this loop has no io_context; serve HTTP only on the loop that make_loop() returns\n", stderr);
  std::abort();
}

HandlerTurn::HandlerTurn(AsioHost& host) noexcept : host_(host) { host_.enter_turn(); }
HandlerTurn::~HandlerTurn() { host_.leave_turn(); }

}  // namespace detail
}  // namespace tenon::event
