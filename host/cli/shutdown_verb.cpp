// shutdown: asks, then waits for the keeper to end, which is the last of the host.
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/cli.hpp"
#include "cli/session.hpp"

namespace tenon::cli {

namespace {

constexpr Duration kLongest = std::chrono::minutes(10);

// A descriptor that becomes readable when the host has ended; none when its process is not visible from here.
unique_fd watch_host(const std::string& socket) {
  const auto connection = HostConnection::open(socket);
  const pid_t pid = connection ? connection->host_pid() : 0;
  return pid > 0 ? unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) : unique_fd();
}

}  // namespace

int shut_down(Session& session) {
  const unique_fd host = session.arguments.wait ? watch_host(session.client.socket()) : unique_fd();
  const auto reply = session.client.call({.method = "POST", .target = "/v1/shutdown"});
  if (!reply) return session.fail(reply.error());
  if (!reply->ok()) return session.refused(*reply);
  if (!host) return session.print("the host is stopping everything in reverse order\n");
  if (wait_readable(host.get(), SystemClock().monotonic() + kLongest, {}) != Wake::ready) {
    return session.fail(
        Error(errc::timeout, "the host is still stopping after 10 minutes; look at what stays with tenon ps"));
  }
  return session.print("the host has stopped everything and ended\n");
}

}  // namespace tenon::cli
