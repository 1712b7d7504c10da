#include "keeper/inherited_sockets.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/logging.hpp"
#include "common/text.hpp"
#include "keeper/socket_address.hpp"

namespace tenon::keeper {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
constexpr int kMost = 4096;

std::string take_variable(const char* name) {
  const char* value = ::getenv(name);
  std::string text = value ? value : "";
  ::unsetenv(name);
  return text;
}

int number_in(const std::string& text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

int option_of(int socket, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// A stream socket must listen already: a connection that was accepted for us is no listener.
bool is_of_kind(int socket, ListenFamily family) {
  if (is_stream(family)) return option_of(socket, SO_TYPE) == SOCK_STREAM && option_of(socket, SO_ACCEPTCONN) == 1;
  return option_of(socket, SO_TYPE) == SOCK_DGRAM;
}

}  // namespace

InheritedSockets InheritedSockets::take() {
  const int pid = number_in(take_variable("LISTEN_PID")), count = number_in(take_variable("LISTEN_FDS"));
  const std::string names = take_variable("LISTEN_FDNAMES");
  ::unsetenv("LISTEN_PIDFDID");
  InheritedSockets taken;
  if (pid != ::getpid() || count <= 0) return taken;
  if (count > kMost) {
    log::warn("keeper", "LISTEN_FDS names more descriptors than can be; none is taken", {{"LISTEN_FDS", count}});
    return taken;
  }
  const auto list = split(names, ':');
  for (int i = 0; i < count; ++i) {
    const int fd = kFirst + i;
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) continue;  // it is not open
    const bool named = !names.empty() && static_cast<std::size_t>(i) < list.size();
    taken.sockets_.push_back({named ? std::string(list[static_cast<std::size_t>(i)]) : std::string(), unique_fd(fd)});
  }
  if (!taken.empty()) log::info("keeper", "sockets were passed to the host", {{"sockets", taken.describe()}});
  return taken;
}

unique_fd InheritedSockets::find(const ListenSpec& spec) const {
  if (!spec.inherit.empty()) {
    for (const Inherited& one : sockets_) {
      if (one.name == spec.inherit) return one.socket.duplicate();
    }
    return {};
  }
  const auto wanted = address_of(spec);
  if (!wanted.ok()) return {};
  for (const Inherited& one : sockets_) {
    const auto bound = address_of(one.socket.get());
    if (bound.ok() && *bound == *wanted && is_of_kind(one.socket.get(), spec.family)) return one.socket.duplicate();
  }
  return {};
}

std::string InheritedSockets::describe() const {
  std::string text;
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    const auto bound = address_of(sockets_[i].socket.get());
    text += (i == 0 ? "" : ", ") + (sockets_[i].name.empty() ? std::to_string(kFirst + i) : sockets_[i].name) + " " +
            (bound.ok() ? to_string(*bound) : bound.error().message);
  }
  return text;
}

}  // namespace tenon::keeper
