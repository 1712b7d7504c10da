// A listening socket that the keeper binds and holds, so that clients queue through a restart of the engine, or of the
// processes that it is passed to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tenon::keeper {

enum class ListenFamily : std::uint8_t { unix_stream = 0, tcp = 1, unix_datagram = 2, udp = 3 };

struct ListenSpec {
  std::string name;  // the caller's, unique among listeners, 1 … 512 bytes
  ListenFamily family = ListenFamily::unix_stream;
  std::string address;        // unix: absolute or relative path (at most 107 bytes); else an IPv4 or IPv6 literal
  std::uint16_t port = 0;     // tcp and udp; 0: the kernel chooses, the answer says which
  std::uint32_t mode = 0600;  // unix: permissions of the socket file
  std::int32_t backlog = 512;  // of streams
  bool http = false;         // answered with 503 while there has been no engine for a while
  bool blocking = false;      // accept() waits: what programs expect of a socket that they are passed
  // Not empty: one that was passed to the host itself by this name of LISTEN_FDNAMES; the address is not looked at.
  std::string inherit;
  std::string setting = "--socket";  // by which the operator chooses the address, for errors
  std::optional<std::uint32_t> uid, gid;  // unix: whose the socket file is; absent: the keeper's own
  bool operator==(const ListenSpec&) const = default;
};

}  // namespace tenon::keeper
