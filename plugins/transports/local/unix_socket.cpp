#include "unix_socket.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <tenon/sdk/error.hpp>

namespace tenon::local {

namespace {

constexpr int kBacklog = 128;

std::string because(int error) { return std::string(": ") + std::strerror(error); }

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());  // socket_path() checked the size
  return address;
}

Fd new_socket() {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw sdk::Error(TENON_ERR_IO, "cannot create a unix socket" + because(errno), TENON_FAULT_HOST, true);
  return fd;
}

[[noreturn]] void throw_connect_error(const std::string& path, int error) {
  if (error == EACCES || error == EPERM)
    throw sdk::Error(TENON_ERR_PERMISSION, "may not connect to " + path + "; run both hosts as the same user",
                     TENON_FAULT_REMOTE, false);
  if (error == ENOTDIR || error == ENAMETOOLONG || error == ELOOP)
    throw sdk::Error(TENON_ERR_INVALID_ARGUMENT, "cannot connect to " + path + because(error) + "; mend the url",
                     TENON_FAULT_CALLER, false);
  throw sdk::unavailable("nobody listens at " + path + because(error) +
                         "; start the listening host, or use \"mode\": \"auto\"");
}

}  // namespace

std::string socket_path(std::string_view url) {
  constexpr std::string_view kScheme = "unix://";
  const bool known = url.substr(0, kScheme.size()) == kScheme;
  const std::string path(known ? url.substr(kScheme.size()) : std::string_view());
  const auto refuse = [&](const std::string& why) -> sdk::Error {
    return {TENON_ERR_INVALID_ARGUMENT, "url \"" + std::string(url) + "\" " + why, TENON_FAULT_CALLER, false};
  };
  if (!known || path.empty() || path.front() != '/' || path.find('\0') != std::string::npos)
    throw refuse("is not of the form unix:///absolute/path.sock");
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    throw refuse("names a path of more than 107 octets, the kernel's limit; use a shorter one");
  return path;
}

Fd connect_socket(const std::string& path) {
  Fd fd = new_socket();
  const sockaddr_un address = address_of(path);
  // On a unix socket connect() ends at once; EAGAIN means that the listener's queue is full.
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw_connect_error(path, errno);
  check_peer(fd.get());
  return fd;
}

pid_t check_peer(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    throw sdk::Error(TENON_ERR_IO, "cannot read the other side's credentials" + because(errno), TENON_FAULT_REMOTE,
                     true);
  if (peer.uid != ::geteuid() && peer.uid != 0)
    throw sdk::Error(TENON_ERR_PERMISSION,
                     "the other side runs as user " + std::to_string(peer.uid) + "; run both hosts as the same user",
                     TENON_FAULT_REMOTE, false);
  return peer.pid;
}

void check_no_other_file(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode))
    throw sdk::Error(TENON_ERR_ALREADY_EXISTS, path + " exists and is no socket; remove it, or use another path",
                     TENON_FAULT_CALLER, false);
}

ListenLock::ListenLock(const std::string& path) {
  const std::string name = path + ".lock";
  fd_ = Fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!fd_)
    throw sdk::Error(TENON_ERR_IO,
                     "cannot open " + name + because(errno) + "; create its directory, writable for this user",
                     TENON_FAULT_CALLER, false);
  struct stat locked {}, named {};
  const bool ours = ::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(fd_.get(), &locked) == 0 &&
                    ::stat(name.c_str(), &named) == 0 && locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
  if (!ours)
    throw sdk::Error(TENON_ERR_ALREADY_EXISTS,
                     "another host listens at " + path + " already; stop it, or use \"mode\": \"auto\"",
                     TENON_FAULT_REMOTE, true);
}

ListenSocket::ListenSocket(std::string path, std::unique_ptr<ListenLock> lock)
    : path_(std::move(path)), lock_(std::move(lock)) {
  check_no_other_file(path_);
  ::unlink(path_.c_str());  // stale: whoever listened there has lost the lock that we hold
  own_ = new_socket();
  fd_ = own_.get();
  const sockaddr_un address = address_of(path_);
  // The mode of the socket's own inode becomes that of the name, so it is never open to others, not even for a moment.
  if (::fchmod(fd_, 0600) != 0 || ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd_, kBacklog) != 0)
    throw sdk::Error(TENON_ERR_IO,
                     "cannot listen at " + path_ + because(errno) + "; create its directory, writable for this user",
                     TENON_FAULT_CALLER, false);
  remember_file();
}

ListenSocket::ListenSocket(std::string path, sdk::Listener held, int fd)
    : path_(std::move(path)), held_(std::move(held)), fd_(fd) {
  remember_file();
}

ListenSocket::~ListenSocket() {
  if (lock_ != nullptr && is_reachable()) ::unlink(path_.c_str());
}

// What stands there now is ours: nobody else may put a socket there while the lock is held for us.
void ListenSocket::remember_file() noexcept {
  struct stat found {};
  if (::lstat(path_.c_str(), &found) != 0) return;
  device_ = found.st_dev;
  inode_ = found.st_ino;
}

bool ListenSocket::is_reachable() const noexcept {
  struct stat found {};
  return ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_;
}

Fd ListenSocket::accept() const { return Fd(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)); }

}  // namespace tenon::local
