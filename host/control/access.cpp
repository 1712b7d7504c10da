#include "control/access.hpp"

#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/text.hpp"

namespace tenon::control {

std::optional<uid_t> peer_user(int socket) noexcept {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer) return std::nullopt;
  return peer.uid;
}

std::vector<uid_t> own_users() { return {::geteuid(), 0}; }

bool token_accepted(std::string_view authorization, std::string_view token) noexcept {
  constexpr std::string_view kScheme = "Bearer ";
  if (token.empty() || authorization.size() < kScheme.size()) return false;
  if (::strncasecmp(authorization.data(), kScheme.data(), kScheme.size()) != 0) return false;
  const std::string_view given = trim(authorization.substr(kScheme.size()));
  // As many steps as the guess has bytes, whatever they are: the time tells its sender nothing that it did not know.
  unsigned difference = given.size() != token.size();
  for (std::size_t i = 0; i < given.size(); ++i) {
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(token[i % token.size()]);
  }
  return difference == 0;
}

}  // namespace tenon::control
