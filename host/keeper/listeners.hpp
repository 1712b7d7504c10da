// The listening sockets that the keeper binds, holds through every engine, and removes at the end.
//
// A unix socket is guarded by a lock file beside it (PATH.lock, flock, with the pid of the holder inside): a second
// host on the same path is refused, and only the holder of the lock removes a socket file that a killed host left
// behind.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "keeper/inherited_sockets.hpp"
#include "keeper/listen_spec.hpp"

namespace tenon::keeper {

class Listener {
 public:
  // errc::already_exists: another host, or another program, has the path or address; errc::invalid_argument: it
  // makes no sense. The sentence names path or address and what to do.
  // A socket that does for it among `inherited` takes the place of one of its own, without file and lock.
  static Result<std::unique_ptr<Listener>> open(const ListenSpec& spec, const InheritedSockets& inherited = {});
  ~Listener();  // removes the socket file and the lock file, if they are still ours
  Listener(const Listener&) = delete;

  const ListenSpec& spec() const { return spec_; }
  int fd() const { return socket_.get(); }
  std::uint16_t port() const { return port_; }
  unique_fd duplicate() const { return socket_.duplicate(); }

 private:
  friend class Listeners;
  explicit Listener(const ListenSpec& spec) : spec_(spec) {}
  Status lock_path();
  Status remove_stale_socket();
  Status bind_unix();
  Status bind_ip();
  Status set_mode_of_waiting();
  bool is_at(const ListenSpec& spec) const;
  Status adapt(const ListenSpec& spec);
  Status give_file() const;
  Error path_error(const std::string& what, const std::string& path) const;
  Error taken(int lock) const;

  ListenSpec spec_;
  unique_fd lock_;
  unique_fd socket_;
  std::uint16_t port_ = 0;
  dev_t device_ = 0;  // of the socket file; inode 0: there is none of ours
  ino_t inode_ = 0;
};

class Listeners {
 public:
  static constexpr std::size_t kMaxListeners = 4096;

  explicit Listeners(InheritedSockets inherited = {}) : inherited_(std::move(inherited)) {}

  // The one of that name if it is the same in all else, a new one otherwise.
  Result<const Listener*> open(const ListenSpec& spec);
  // The same, but what is open already is made to fit: one of that name or at that place goes on under the new terms,
  // without a client lost. One of that name at another place is closed once the new one is open.
  Result<const Listener*> reopen(const ListenSpec& spec);
  void close(const std::string& name) { listeners_.erase(name); }
  const Listener* find(const std::string& name) const;  // null: none
  std::vector<std::string> names() const;

 private:
  InheritedSockets inherited_;
  std::map<std::string, std::unique_ptr<Listener>> listeners_;
};

}  // namespace tenon::keeper
