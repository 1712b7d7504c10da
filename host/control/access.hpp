// Who may speak to the control API. Pure, but for asking the kernel who the peer is.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace tenon::control {

// The user at the other end of a unix socket when it connected; empty when the kernel does not know.
std::optional<uid_t> peer_user(int socket) noexcept;

// This process's effective user and root.
std::vector<uid_t> own_users();

// Whether an Authorization field carries this bearer token. Takes the same time wherever the two differ. An empty
// token lets nobody in.
bool token_accepted(std::string_view authorization, std::string_view token) noexcept;

}  // namespace tenon::control
