#include "keeper/socket_address.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <netinet/in.h>
#include <sys/un.h>

namespace tenon::keeper {
namespace {

Result<SocketAddress> unix_address(const ListenSpec& spec) {
  SocketAddress address;
  auto* at = reinterpret_cast<sockaddr_un*>(&address.storage);
  const std::string& path = spec.address;
  if (path.empty() || path.size() >= sizeof at->sun_path || path.find('\0') != std::string::npos) {
    return Error(errc::invalid_argument,
                 "the socket path " + path + " has " + std::to_string(path.size()) +
                     " bytes, the kernel takes 1 to 107; choose a shorter " + spec.setting,
                 fault::caller);
  }
  at->sun_family = AF_UNIX;
  std::memcpy(at->sun_path, path.data(), path.size());
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

Result<SocketAddress> ip_address(const ListenSpec& spec) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, spec.address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(spec.port);
    address.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, spec.address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(spec.port);
    address.size = sizeof *v6;
  } else {
    return Error(errc::invalid_argument,
                 "\"" + spec.address + "\" is no IPv4 or IPv6 address to listen on; write for instance 127.0.0.1:7070",
                 fault::caller);
  }
  return address;
}

}  // namespace

std::uint16_t SocketAddress::port() const noexcept {
  if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6) return 0;
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);  // at the same place in both
}

bool SocketAddress::operator==(const SocketAddress& other) const noexcept {
  if (storage.ss_family != other.storage.ss_family) return false;
  if (storage.ss_family == AF_UNIX) {
    return std::strcmp(reinterpret_cast<const sockaddr_un*>(&storage)->sun_path,
                       reinterpret_cast<const sockaddr_un*>(&other.storage)->sun_path) == 0;
  }
  if (port() != other.port()) return false;
  if (storage.ss_family == AF_INET) {
    return reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr ==
           reinterpret_cast<const sockaddr_in*>(&other.storage)->sin_addr.s_addr;
  }
  return std::memcmp(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr,
                     &reinterpret_cast<const sockaddr_in6*>(&other.storage)->sin6_addr, sizeof(in6_addr)) == 0;
}

Result<SocketAddress> address_of(const ListenSpec& spec) {
  return is_unix(spec.family) ? unix_address(spec) : ip_address(spec);
}

Result<SocketAddress> address_of(int socket) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0) {
    return Error::from_errno(errno, "ask a socket for its address");
  }
  const auto family = address.storage.ss_family;
  if (family != AF_UNIX && family != AF_INET && family != AF_INET6) {
    return Error(errc::invalid_argument, "a socket of family " + std::to_string(family) + " cannot be listened on here");
  }
  return address;
}

std::string to_string(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  switch (address.storage.ss_family) {
    case AF_UNIX: {
      const auto* at = reinterpret_cast<const sockaddr_un*>(&address.storage);
      const std::size_t size = address.size - offsetof(sockaddr_un, sun_path);
      if (size > 0 && at->sun_path[0] == '\0') return "@" + std::string(at->sun_path + 1, size - 1);
      return std::string(at->sun_path, ::strnlen(at->sun_path, size));
    }
    case AF_INET:
      ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr, text, sizeof text);
      return std::string(text) + ":" + std::to_string(address.port());
    case AF_INET6:
      ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr, text, sizeof text);
      return "[" + std::string(text) + "]:" + std::to_string(address.port());
    default: return "nowhere";
  }
}

}  // namespace tenon::keeper
