#include "keeper/notify_socket.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

#include "keeper/random_name.hpp"

namespace tenon::keeper {
namespace {

Error failed(const char* what) {
  const int number = errno;
  Error error = Error::from_errno(number, what);
  errno = number;
  return error;
}

}  // namespace

Result<NotifySocket> make_notify_socket() {
  NotifySocket made;
  made.name = "@tenon/notify/" + random_hex(16);
  made.socket.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.socket) return failed("make the notify socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, made.name.data() + 1, made.name.size() - 1);  // NUL instead of '@': abstract
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + made.name.size());
  const int on = 1;
  if (::setsockopt(made.socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      ::bind(made.socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return failed("name the notify socket");
  }
  return made;
}

}  // namespace tenon::keeper
