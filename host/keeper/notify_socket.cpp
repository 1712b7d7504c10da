#include "keeper/notify_socket.hpp"

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/text.hpp"
#include "keeper/random_name.hpp"

namespace tenon::keeper {
namespace {

Error failed(const char* what) {
  const int number = errno;
  Error error = Error::from_errno(number, what);
  errno = number;
  return error;
}

constexpr std::size_t kMessage = 4096;  // what is longer is left out, as it is by who reads it
constexpr int kMostWaiting = 512;       // net.unix.max_dgram_qlen of machines that raised it

struct Peeked {
  std::string text;
  ucred sender{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
};

std::optional<Peeked> peek(int socket) {
  Peeked peeked{std::string(kMessage, '\0')};
  alignas(cmsghdr) char ancillary[CMSG_SPACE(sizeof(ucred))];  // descriptors do not fit, and so are not made
  iovec part{peeked.text.data(), peeked.text.size()};
  msghdr header{};
  header.msg_iov = &part, header.msg_iovlen = 1;
  header.msg_control = ancillary, header.msg_controllen = sizeof ancillary;
  const ssize_t size = ::recvmsg(socket, &header, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) return std::nullopt;
  peeked.text.resize((header.msg_flags & MSG_TRUNC) != 0 ? 0 : static_cast<std::size_t>(size));
  for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr; at = CMSG_NXTHDR(&header, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_CREDENTIALS) continue;
    std::memcpy(&peeked.sender, CMSG_DATA(at), sizeof peeked.sender);
  }
  return peeked;
}

}  // namespace

std::optional<pid_t> parse_main_pid(std::string_view value) {
  constexpr long kMostPids = 4'194'304;  // the largest pid_max
  long pid = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), pid);
  if (error != std::errc() || end != value.data() + value.size() || pid <= 1 || pid > kMostPids) return std::nullopt;
  return static_cast<pid_t>(pid);
}

std::optional<pid_t> waiting_main_pid(int socket, pid_t pid, uid_t user) {
  constexpr std::string_view kName = "MAINPID=";
  const int from_the_first = 0, as_ever = -1;
  if (::setsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &from_the_first, sizeof from_the_first) != 0) return std::nullopt;
  std::optional<pid_t> named;
  for (int i = 0; i < kMostWaiting; ++i) {
    const auto peeked = peek(socket);
    if (!peeked) break;
    const uid_t by = peeked->sender.uid;
    if (peeked->sender.pid != pid && by != user && by != 0 && by != ::geteuid()) continue;
    for (const std::string_view line : split(peeked->text, '\n'))
      if (line.starts_with(kName))
        if (const auto one = parse_main_pid(line.substr(kName.size()))) named = one;
  }
  ::setsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &as_ever, sizeof as_ever);
  return named;
}

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
