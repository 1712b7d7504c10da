// The unix socket that hosts of one machine meet at, and the lock that decides who listens.
//
// The model. For a socket PATH there is PATH.lock. Whoever holds its flock may listen: only the holder removes a stale
// socket and binds a new one, so two hosts never listen at the same time and no live socket is ever removed. The kernel
// drops the lock with its holder, however that ends. A host's keeper keeps the same rule, and removes the lock file at
// its end while it holds it; so a lock counts only if its file still has its name.
//
// The socket has mode 0600 from the moment it exists, and both sides check the other's credentials: its user must be
// ours or root. No function here blocks. Failures throw sdk::Error; where a retry may help it says so.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <tenon/sdk/listener.hpp>

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

// Throws TENON_ERR_ALREADY_EXISTS if something stands at the path that is no socket.
void check_no_other_file(const std::string& path);

// The right to listen at the path, for as long as it lives.
class ListenLock {
 public:
  // Throws a retryable TENON_ERR_ALREADY_EXISTS if another holds it.
  explicit ListenLock(const std::string& path);

 private:
  Fd fd_;
};

// A bound and listening socket. When destroyed, its name is gone: removed if it is still its own, or by the host.
class ListenSocket {
 public:
  // Binds. Throws TENON_ERR_ALREADY_EXISTS if something that is no socket stands there.
  ListenSocket(std::string path, std::unique_ptr<ListenLock> lock);
  // One that the host holds.
  ListenSocket(std::string path, sdk::Listener held, int fd);
  ~ListenSocket();
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;
  int fd() const noexcept { return fd_; }
  const std::string& path() const noexcept { return path_; }
  // Whether others still find it under its name.
  bool is_reachable() const noexcept;
  // The next connection, or an empty Fd if none waits (or the process is out of descriptors).
  Fd accept() const;

 private:
  void remember_file() noexcept;

  std::string path_;
  std::unique_ptr<ListenLock> lock_;  // null if the host holds the socket; outlives `own_`: nobody binds before
  Fd own_;
  sdk::Listener held_;
  int fd_;  // of `own_`, or the host's
  dev_t device_ = 0;
  ino_t inode_ = 0;  // 0: there was no file to remember
};

}  // namespace tenon::local
