#include "app/config_address.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>

namespace tenon::app {

namespace {

bool is_address(const std::string& host) {
  in6_addr address;
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

std::optional<IpAndPort> parse_ip_and_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  IpAndPort value{host == "localhost" ? "127.0.0.1" : std::string(host), 0};
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), value.port);
  if (failed != std::errc() || end != port.data() + port.size() || !is_address(value.address)) return std::nullopt;
  return value;
}

std::string to_string(const IpAndPort& value) {
  const bool v6 = value.address.find(':') != std::string::npos;
  return (v6 ? "[" + value.address + "]" : value.address) + ":" + std::to_string(value.port);
}

bool is_loopback(const IpAndPort& value) {
  in_addr v4;
  if (::inet_pton(AF_INET, value.address.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == IN_LOOPBACKNET;
  in6_addr v6;
  return ::inet_pton(AF_INET6, value.address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace tenon::app
