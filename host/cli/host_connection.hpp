// One connection to the host's control socket, blocking, with everything that may end a wait.
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "common/unique_fd.hpp"

namespace tenon::cli {

// What else a wait looks at: descriptors that are -1 when there is nothing to look at.
struct Attention {
  int interrupt = -1;  // readable: the person has had enough
  int output = -1;     // its reader has gone: nobody wants any more
};

enum class Wake : unsigned char { ready, timeout, interrupted, output_closed };

// Waits until `socket` (any descriptor; -1: none, merely wait) is readable or one of the others happens. Looks once if
// the deadline has passed.
Wake wait_readable(int socket, MonotonicTime deadline, const Attention& attention);

class HostConnection {
 public:
  // errc::unavailable: nothing listens there, so no host runs; errc::permission; errc::invalid_argument: no path for
  // a socket.
  static Result<HostConnection> open(const std::string& path);

  // True when the kernel has taken every byte. False: the host has closed before, so that it cannot have a whole
  // request.
  bool send(std::string_view bytes);

  // Readable: there is something to read().
  int fd() const noexcept { return socket_.get(); }

  // The process that bound the socket, which is the host's keeper; 0 when it is not visible from here.
  pid_t host_pid() const noexcept;

  struct Read {
    Wake wake = Wake::ready;
    std::string bytes;  // empty with Wake::ready: the connection has ended
  };
  Read read(MonotonicTime deadline, const Attention& attention);

 private:
  explicit HostConnection(unique_fd socket) : socket_(std::move(socket)) {}
  unique_fd socket_;
};

}  // namespace tenon::cli
