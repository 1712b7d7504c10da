// A listening socket that the keeper binds and holds, so that clients queue through a restart of the engine.
#pragma once

#include <cstdint>
#include <string>

namespace tenon::keeper {

enum class ListenFamily : std::uint8_t { unix_stream = 0, tcp = 1 };

struct ListenSpec {
  std::string name;  // the caller's, unique among listeners, 1 … 512 bytes
  ListenFamily family = ListenFamily::unix_stream;
  std::string address;       // unix_stream: absolute or relative path (at most 107 bytes); tcp: an IPv4 or IPv6 literal
  std::uint16_t port = 0;    // tcp; 0: the kernel chooses, the answer says which
  std::uint32_t mode = 0600; // unix_stream: permissions of the socket file
  std::int32_t backlog = 512;
  bool http = false;         // answered with 503 while there has been no engine for a while
  bool operator==(const ListenSpec&) const = default;
};

}  // namespace tenon::keeper
