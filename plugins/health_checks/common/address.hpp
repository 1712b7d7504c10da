// Where a check connects to: socket addresses, from a number or a name.
#pragma once

#include <netdb.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace tenon::health {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

struct Resolution {
  std::vector<Address> addresses;  // at most kMostAddresses, in the resolver's order
  std::string error;               // why there are none
};

constexpr std::size_t kMostAddresses = 8;

// Blocks when `numeric` is false and the name needs a server. [worker], numeric: [any]
inline Resolution resolve(const std::string& host, std::uint16_t port, bool numeric) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  // No AI_ADDRCONFIG: it hides loopback addresses on a machine without a network.
  hints.ai_flags = AI_NUMERICSERV | (numeric ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  Resolution result;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) {
    result.error = ::gai_strerror(failed);
    return result;
  }
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_addrlen > sizeof(sockaddr_storage) || result.addresses.size() == kMostAddresses) continue;
    Address address;
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
    result.addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  if (result.addresses.empty()) result.error = "no usable address";
  return result;
}

}  // namespace tenon::health
