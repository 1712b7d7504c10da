#include "support/scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

namespace tenon::test_support {
namespace {

// Binds to 127.0.0.1, port 0, and says which port that was.
unique_fd bound_socket(std::uint16_t& port) {
  unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!fd || ::bind(fd.get(), generic, size) != 0 || ::getsockname(fd.get(), generic, &size) != 0) {
    std::perror("scripted_server: no loopback port");
    std::abort();
  }
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

std::string Connection::read_until(const std::string& mark) {
  std::string text;
  char c;
  while (text.size() < (1u << 20) && !text.ends_with(mark) && ::recv(fd_, &c, 1, 0) == 1) text += c;
  return text;
}

void Connection::write(const std::string& octets) {
  for (std::size_t sent = 0; sent < octets.size();) {
    const ssize_t now = ::send(fd_, octets.data() + sent, octets.size() - sent, MSG_NOSIGNAL);
    if (now <= 0) return;  // the peer has gone
    sent += static_cast<std::size_t>(now);
  }
}

void Connection::wait_for_close() {
  char block[4096];
  while (::recv(fd_, block, sizeof block, 0) > 0) {
  }
}

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)), listener_(bound_socket(port_)) {
  if (::listen(listener_.get(), 64) != 0) std::abort();
  thread_ = std::thread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
  {
    const std::lock_guard hold(lock_);
    stopping_ = true;
    if (current_ >= 0) ::shutdown(current_, SHUT_RDWR);
  }
  ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept
  thread_.join();
}

void ScriptedServer::serve() {
  for (;;) {
    const unique_fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    {
      const std::lock_guard hold(lock_);
      if (!peer || stopping_) return;
      current_ = peer.get();
      ++accepted_;
    }
    Connection connection(peer.get());
    script_(connection);
    const std::lock_guard hold(lock_);
    current_ = -1;
    ++served_;
  }
}

std::size_t ScriptedServer::accepted() const {
  const std::lock_guard hold(lock_);
  return accepted_;
}

std::size_t ScriptedServer::served() const {
  const std::lock_guard hold(lock_);
  return served_;
}

ScriptedServer::Script ScriptedServer::answer(const std::string& octets) {
  return [octets](Connection& connection) {
    connection.read_until("\r\n\r\n");
    connection.write(octets);
  };
}

RefusingPort::RefusingPort() : socket_(bound_socket(port_)) {}  // bound, not listening

DeafPort::DeafPort() : listener_(bound_socket(port_)) {
  if (::listen(listener_.get(), 0) != 0) std::abort();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  // Connections that are made count against the backlog; the first one that is not shows that it is full.
  for (int i = 0; i < 16; ++i) {
    waiting_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(waiting_.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    pollfd writable{waiting_.back().get(), POLLOUT, 0};
    if (::poll(&writable, 1, 50) == 0) return;
  }
  std::fprintf(stderr, "scripted_server: the backlog never fills\n");
  std::abort();
}

}  // namespace tenon::test_support
