// Where a listening socket is bound: made from what a config says, and told back from a socket.
#pragma once

#include <cstdint>
#include <string>
#include <sys/socket.h>

#include "common/result.hpp"
#include "keeper/listen_spec.hpp"

namespace tenon::keeper {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  std::uint16_t port() const noexcept;  // 0 if it has none
  bool operator==(const SocketAddress& other) const noexcept;
};

constexpr bool is_unix(ListenFamily family) noexcept {
  return family == ListenFamily::unix_stream || family == ListenFamily::unix_datagram;
}
constexpr bool is_stream(ListenFamily family) noexcept {
  return family == ListenFamily::unix_stream || family == ListenFamily::tcp;
}

// errc::invalid_argument: it is no address; the sentence says what is.
Result<SocketAddress> address_of(const ListenSpec& spec);
// What a socket is bound to. A family that is neither unix nor IP, or no socket at all: errc::invalid_argument.
Result<SocketAddress> address_of(int socket);
// "127.0.0.1:80", "[::]:80", "/run/x.sock"; of the abstract namespace "@name".
std::string to_string(const SocketAddress& address);

}  // namespace tenon::keeper
