// The control API over HTTP/1.1, on listening sockets that somebody else has bound.
//
// The model. A server takes connections from its listeners and serves them until close(). On a unix socket the peer's
// user must be one of `users`; on TCP every request must carry the bearer token, which is looked at before the body is
// read. Connections over the limit get a 503 and are closed; those of TCP have a smaller one of their own, so that
// strangers cannot keep the host's own user from the unix socket, and must begin their first request soon.
//
// Requests are counted in tenon_http_requests_total{route, code} when their answer is ready.
//
// [loop]. Loop, host and registry outlive the server. Destroying it closes it; answers that the host gives later go
// nowhere.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <sys/types.h>
#include <unordered_map>
#include <vector>

#include "common/metrics.hpp"
#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "control/acceptor.hpp"
#include "control/api.hpp"
#include "control/connection.hpp"
#include "control/host_interface.hpp"
#include "event/loop.hpp"

namespace tenon::control {

struct ServerOptions {
  std::size_t max_connections = 1024;     // in all
  std::size_t max_tcp_connections = 256;  // of them
  RequestLimits requests;
  ConnectionTimes times;
  ApiOptions api;
  std::vector<uid_t> users;  // who may use a unix socket; empty: this process's user and root
};

class ControlServer {
 public:
  // Connections that are being told that there are too many, or that they may not; more are closed without a word.
  static constexpr std::size_t kMaxRefused = 64;

  ControlServer(event::Loop& loop, HostInterface& host, metrics::Registry& metrics, ServerOptions options = {});
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // Serves a listening unix socket. May be called for several.
  Status serve_unix(unique_fd listener);
  // Serves a listening TCP socket. errc::invalid_argument for an empty token.
  Status serve_tcp(unique_fd listener, std::string token);

  // Takes no more connections and drops those that are there.
  void close();

  std::size_t connections() const noexcept { return clients_.size(); }  // those that are refused included
  std::size_t tcp_connections() const noexcept;                          // without those that are refused
  std::size_t streams() const noexcept;
  std::size_t stream_bytes_held() const noexcept { return api_.stream_bytes_held(); }

 private:
  class Client;
  void accept(unique_fd socket, const std::string* token);
  void refuse(unique_fd socket, HttpResponse response);
  std::shared_ptr<Connection> add(unique_fd socket, const std::string* token);
  bool may_use(int socket) const;

  event::Loop& loop_;
  ServerOptions options_;
  Api api_;
  metrics::CounterFamily answered_;
  std::vector<std::unique_ptr<std::string>> tokens_;  // stable addresses: clients point at theirs
  std::unordered_map<Connection*, std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
};

}  // namespace tenon::control
