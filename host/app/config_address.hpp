// "127.0.0.1:7070": an address of this machine and a port, as people write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenon::app {

struct IpAndPort {
  std::string address;  // a literal of IPv4 or IPv6, without brackets
  std::uint16_t port = 0;
};

// "127.0.0.1:7070", "[::1]:7070" or "localhost:7070", which is 127.0.0.1: the kernel listens on addresses, not on names.
std::optional<IpAndPort> parse_ip_and_port(std::string_view text);
// "127.0.0.1:7070", "[::1]:7070".
std::string to_string(const IpAndPort& value);
bool is_loopback(const IpAndPort& value);

}  // namespace tenon::app
