// The unix socket that hosts of one machine meet at, and the lock that decides who listens.
//
// The model. For a socket PATH there is PATH.lock, which is never removed. Whoever holds its flock may listen: only the
// holder removes a stale socket and binds a new one, so two hosts never listen at the same time and no live socket is
// ever removed. The kernel drops the lock with its holder, however that ends.
//
// The socket has mode 0600 from the moment it exists, and both sides check the other's credentials: its user must be
// ours or root. No function here blocks. Failures throw sdk::Error; where a retry may help it says so.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "fd.hpp"

namespace tenon::local {

// "unix:///run/tenon/bus.sock" → the path. Throws TENON_ERR_INVALID_ARGUMENT for another scheme, a relative path, or
// one that does not fit into a socket address.
std::string socket_path(std::string_view url);

// Connects to whoever listens. Throws a retryable TENON_ERR_UNAVAILABLE if nobody does, TENON_ERR_PERMISSION if we may
// not or if a stranger listens.
Fd connect_socket(const std::string& path);

// Credentials of a connected socket. Throws TENON_ERR_PERMISSION if the user on the other side is neither ours nor
// root.
pid_t check_peer(int fd);

// The right to listen at the path, for as long as it lives.
class ListenLock {
 public:
  // Throws a retryable TENON_ERR_ALREADY_EXISTS if another holds it.
  explicit ListenLock(const std::string& path);

 private:
  Fd fd_;
};

// A bound and listening socket. Removes the socket's name when destroyed, if it is still its own.
class ListenSocket {
 public:
  // Requires the path's lock. Throws TENON_ERR_ALREADY_EXISTS if something that is no socket stands there.
  explicit ListenSocket(std::string path);
  ~ListenSocket();
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;
  int fd() const noexcept { return fd_.get(); }
  const std::string& path() const noexcept { return path_; }
  // Whether others still find it under its name.
  bool is_reachable() const noexcept;
  // The next connection, or an empty Fd if none waits (or the process is out of descriptors).
  Fd accept() const;

 private:
  std::string path_;
  Fd fd_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace tenon::local
