#include "keeper/listeners.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/system.hpp"

namespace tenon::keeper {
namespace {

constexpr int kLockAttempts = 16;

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

Error path_error(int error_number, const std::string& what, const std::string& path) {
  Error error = Error::from_errno(error_number, what + " " + path);
  error.message += "; choose another path with --socket or control.socket";
  return error;
}

Error taken(const std::string& path, int lock) {
  char text[32] = {};
  const ssize_t size = ::pread(lock, text, sizeof text - 1, 0);
  std::string holder(text, static_cast<std::size_t>(size > 0 ? size : 0));
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  const std::string who = holder.empty() ? "" : " (pid " + holder + ")";
  return Error(errc::already_exists,
               "another host is running on " + path + who + "; stop it or choose another --socket", fault::caller);
}

// For the time of a bind: the socket file is never there with more rights than it shall have.
class MaskScope {
 public:
  explicit MaskScope(mode_t wanted_mode) : before_(::umask(~wanted_mode & 0777)) {}
  ~MaskScope() { ::umask(before_); }
  MaskScope(const MaskScope&) = delete;

 private:
  mode_t before_;
};

struct TcpAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<TcpAddress> parse_address(const ListenSpec& spec) {
  TcpAddress address;
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

Result<std::unique_ptr<Listener>> Listener::open(const ListenSpec& spec) {
  std::unique_ptr<Listener> listener(new Listener(spec));
  const Status bound = spec.family == ListenFamily::tcp ? listener->bind_tcp() : listener->bind_unix();
  if (!bound.ok()) return bound.error();
  return listener;
}

Listener::~Listener() {
  struct stat now {};
  if (inode_ != 0 && ::lstat(spec_.address.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_) {
    ::unlink(spec_.address.c_str());
  }
  // Under the lock, so that nobody who waits for this very file can have it: see lock_path.
  if (lock_) ::unlink((spec_.address + ".lock").c_str());
}

// A holder unlinks its lock file at the end, so a lock just won may be on a file that has no name any more: then again.
Status Listener::lock_path() {
  const std::string path = spec_.address + ".lock";
  for (int attempt = 0; attempt < kLockAttempts; ++attempt) {
    unique_fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) return path_error(errno, "open the lock file", path);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      return errno == EWOULDBLOCK ? taken(spec_.address, lock.get()) : path_error(errno, "lock", path);
    }
    struct stat locked {}, named {};
    if (::fstat(lock.get(), &locked) != 0 || ::stat(path.c_str(), &named) != 0 || !same_file(locked, named)) continue;
    lock_ = std::move(lock);
    if (::ftruncate(lock_.get(), 0) != 0) return path_error(errno, "truncate", path);
    return write_all(lock_.get(), std::to_string(::getpid()) + "\n", path);
  }
  return taken(spec_.address, -1);
}

Status Listener::remove_stale_socket() {
  struct stat info {};
  if (::lstat(spec_.address.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) {
    return Error(errc::already_exists,
                 spec_.address + " exists and is not a socket; remove it or choose another path with --socket",
                 fault::caller);
  }
  if (::unlink(spec_.address.c_str()) != 0) return path_error(errno, "remove the stale socket", spec_.address);
  return {};
}

Status Listener::bind_unix() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& path = spec_.address;
  if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string::npos) {
    return Error(errc::invalid_argument,
                 "the socket path " + path + " has " + std::to_string(path.size()) +
                     " bytes, the kernel takes 1 to 107; choose a shorter one with --socket",
                 fault::caller);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const std::string parent = parent_of(path);
  if (::mkdir(parent.c_str(), 0700) != 0 && errno != EEXIST) return path_error(errno, "make the directory", parent);
  TENON_TRY(lock_path());
  TENON_TRY(remove_stale_socket());

  socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) return Error::from_errno(errno, "make a unix socket");
  {
    MaskScope mask(spec_.mode);
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      return path_error(errno, "bind", path);
    }
  }
  struct stat made {};
  if (::lstat(path.c_str(), &made) == 0) device_ = made.st_dev, inode_ = made.st_ino;
  if (::listen(socket_.get(), spec_.backlog) != 0) return path_error(errno, "listen on", path);
  return {};
}

Status Listener::bind_tcp() {
  auto address = parse_address(spec_);
  if (!address) return std::move(address).error();
  socket_.reset(::socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) return Error::from_errno(errno, "make a TCP socket");
  const int on = 1;
  (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const std::string shown = spec_.address + ":" + std::to_string(spec_.port);
  if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address->storage), address->size) != 0 ||
      ::listen(socket_.get(), spec_.backlog) != 0) {
    if (errno == EADDRINUSE) {
      return Error(errc::already_exists,
                   "another program listens on " + shown + "; stop it or choose another port (`ss -ltnp` names it)",
                   fault::caller);
    }
    return Error::from_errno(errno, "listen on " + shown);
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0) {
    // The port stands at the same place in both families.
    port_ = ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
  }
  return {};
}

Result<const Listener*> Listeners::open(const ListenSpec& spec) {
  if (const Listener* known = find(spec.name)) {
    if (known->spec() == spec) return known;
    return Error(errc::already_exists,
                 "a listener named " + spec.name + " is open with other settings; close it first");
  }
  if (listeners_.size() >= kMaxListeners) {
    return Error(errc::exhausted, "64 listeners are open already; close one first");
  }
  auto opened = Listener::open(spec);
  if (!opened) return std::move(opened).error();
  return listeners_.emplace(spec.name, std::move(*opened)).first->second.get();
}

const Listener* Listeners::find(const std::string& name) const {
  const auto found = listeners_.find(name);
  return found == listeners_.end() ? nullptr : found->second.get();
}

std::vector<std::string> Listeners::names() const {
  std::vector<std::string> names;
  for (const auto& [name, listener] : listeners_) names.push_back(name);
  return names;
}

}  // namespace tenon::keeper
