#include "common/unique_fd.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace tenon {

void unique_fd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  if (old < 0) return;
  const int saved = errno;
  ::close(old);  // Linux frees the descriptor even on EINTR: never retry
  errno = saved;
}

unique_fd unique_fd::duplicate() const noexcept { return unique_fd(::fcntl(fd_, F_DUPFD_CLOEXEC, 0)); }

}  // namespace tenon
