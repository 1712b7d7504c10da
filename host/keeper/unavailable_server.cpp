#include "keeper/unavailable_server.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <sys/socket.h>

namespace tenon::keeper {
namespace {

const std::string& answer() {
  static const std::string text = [] {
    const std::string body =
        R"({"type":"about:blank","title":"Service Unavailable","status":503,)"
        R"("detail":"The engine of this host is being restarted; the processes keep running. Try again in a second."})";
    return "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n"
           "Connection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }();
  return text;
}

}  // namespace

void UnavailableServer::start(const Listeners& listeners) {
  on_ = true;
  for (const auto& name : listeners.names()) {
    const Listener* listener = listeners.find(name);
    if (!listener->spec().http) continue;
    listening_.push_back(listener->fd());
    poller_.watch(Watched::listener, listener->fd(), EPOLLIN);
  }
}

void UnavailableServer::stop() {
  for (int fd : listening_) poller_.unwatch(fd);
  listening_.clear();
  clients_.clear();
  on_ = false;
}

void UnavailableServer::forget(int listener) {
  if (std::erase(listening_, listener) != 0) poller_.unwatch(listener);
}

void UnavailableServer::on_listener(int listener, MonotonicTime now) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    unique_fd socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      // Out of descriptors, above all: rather no answer than a loop that spins on a ready socket.
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) poller_.unwatch(listener);
      return;
    }
    if (clients_.size() >= kMaxClients) clients_.pop_front();
    poller_.watch(Watched::client, socket.get(), EPOLLIN);
    clients_.push_back({std::move(socket), now + kPatience, false});
  }
}

void UnavailableServer::on_client(int client) {
  const auto found = std::find_if(clients_.begin(), clients_.end(),
                                  [client](const Client& c) { return c.socket.get() == client; });
  if (found == clients_.end()) return;
  char ignored[16384];
  const ssize_t size = ::recv(client, ignored, sizeof ignored, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    clients_.erase(found);
    return;
  }
  if (found->answered) return;
  found->answered = true;
  // A fresh socket's buffer takes the whole of it. We go on reading until the client closes: closing over unread bytes
  // would reset the connection, and the client might lose the answer.
  (void)::send(client, answer().data(), answer().size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(client, SHUT_WR);
}

void UnavailableServer::expire(MonotonicTime now) {
  while (!clients_.empty() && now >= clients_.front().deadline) clients_.pop_front();
}

std::optional<MonotonicTime> UnavailableServer::next_deadline() const {
  if (clients_.empty()) return std::nullopt;
  return clients_.front().deadline;
}

}  // namespace tenon::keeper
