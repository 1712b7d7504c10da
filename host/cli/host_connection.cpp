#include "cli/host_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace tenon::cli {

Wake wait_readable(int socket, MonotonicTime deadline, const Attention& attention) {
  while (true) {
    pollfd set[] = {{socket, POLLIN, 0}, {attention.interrupt, POLLIN, 0}, {attention.output, 0, 0}};
    // Looks at least once, however late it is.
    const Duration left = std::max<Duration>(deadline - SystemClock().monotonic(), Duration::zero());
    const auto whole = std::chrono::floor<std::chrono::seconds>(left);
    const timespec limit{.tv_sec = whole.count(), .tv_nsec = (left - whole).count()};
    const int ready = ::ppoll(set, 3, &limit, nullptr);
    if (ready < 0 && errno != EINTR) return Wake::timeout;
    if (ready <= 0 && SystemClock().monotonic() >= deadline) return Wake::timeout;
    if (ready <= 0) continue;
    if (set[1].revents != 0) return Wake::interrupted;
    if ((set[2].revents & (POLLERR | POLLNVAL)) != 0) return Wake::output_closed;
    if (set[0].revents != 0) return Wake::ready;
  }
}

Result<HostConnection> HostConnection::open(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Error(errc::invalid_argument,
                 "the socket's path has " + std::to_string(path.size()) +
                     " bytes, and the kernel takes 1 to 107; choose another with --socket",
                 fault::caller);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  unique_fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return Error::from_errno(errno, "open a socket");
  int done;
  do {
    done = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } while (done != 0 && errno == EINTR);
  if (done == 0) return HostConnection(std::move(socket));
  if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR || errno == ENOTSOCK) {
    return Error(
        errc::unavailable,
        "no host is running on " + path + "; start one with tenon run CONFIG, or name its socket with --socket",
        fault::caller);
  }
  if (errno == EACCES || errno == EPERM) {
    return Error(errc::permission, "you may not use the host on " + path + "; ask as the user that runs it, or as root",
                 fault::caller);
  }
  return Error::from_errno(errno, "connect to " + path);
}

bool HostConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

pid_t HostConnection::host_pid() const noexcept {
  // Of a listening socket the kernel keeps who called listen(), in terms of our own PID namespace.
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

HostConnection::Read HostConnection::read(MonotonicTime deadline, const Attention& attention) {
  while (true) {
    if (const Wake wake = wait_readable(socket_.get(), deadline, attention); wake != Wake::ready) return {wake, {}};
    char bytes[65536];
    const ssize_t size = ::recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    return {Wake::ready, size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string()};
  }
}

}  // namespace tenon::cli
