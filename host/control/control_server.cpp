#include "control/control_server.hpp"

#include <algorithm>
#include <utility>

#include "common/logging.hpp"
#include "control/access.hpp"
#include "control/problem.hpp"

namespace tenon::control {

namespace {

void count(const metrics::CounterFamily& answered, std::string_view route, int status) {
  answered.with({route, std::to_string(status)}).add();
}

metrics::CounterFamily answer_counter(metrics::Registry& registry) {
  auto family = registry.counters({.name = "tenon_http_requests_total",
                                   .help = "Answers of the control API by route and HTTP status.",
                                   .labels = {"route", "code"},
                                   .max_series = 500});
  if (family) return std::move(family).value();
  log::warn("control", "requests are not counted", {{"reason", family.error().message}});
  return {};
}

}  // namespace

// What the server knows of a connection: by which token it must prove that it may (null: it has proved it already).
class ControlServer::Client final : public Connection::Owner {
 public:
  Client(ControlServer& server, const std::string* token) : server_(server), token_(token) {}

  std::optional<HttpResponse> refusal(std::string_view authorization) override;
  void serve(const HttpRequest& request, Connection::Respond respond) override;
  void refused(int status) override { count(server_.answered_, "other", status); }
  void closed(Connection& gone) override { server_.clients_.erase(&gone); }  // ends this object

  bool over_tcp() const noexcept { return token_ != nullptr; }

  std::shared_ptr<Connection> connection;

 private:
  ControlServer& server_;
  const std::string* token_;
};

std::optional<HttpResponse> ControlServer::Client::refusal(std::string_view authorization) {
  if (token_ == nullptr || token_accepted(authorization, *token_)) return std::nullopt;
  HttpResponse response = problem(
      401, "this listener wants its token (config: control.http.token_file) as \"Authorization: Bearer TOKEN\"");
  response.headers.push_back({"WWW-Authenticate", "Bearer realm=\"tenon\""});
  return response;
}

void ControlServer::Client::serve(const HttpRequest& request, Connection::Respond respond) {
  // The host may answer when neither this client nor the server is left: so the counter is captured, not `this`.
  auto counted = [answered = server_.answered_, respond = std::move(respond)](HttpResponse response) {
    count(answered, response.route, response.status);
    respond(std::move(response));
  };
  if (auto refused = refusal(request.authorization)) return counted(std::move(*refused));
  server_.api_.handle(request, std::move(counted), over_tcp());
}

ControlServer::ControlServer(event::Loop& loop, HostInterface& host, metrics::Registry& metrics, ServerOptions options)
    : loop_(loop), options_(std::move(options)), api_(host, options_.api), answered_(answer_counter(metrics)) {
  if (options_.users.empty()) options_.users = own_users();
}

ControlServer::~ControlServer() { close(); }

Status ControlServer::serve_unix(unique_fd listener) {
  auto acceptor = Acceptor::open(loop_, std::move(listener), [this](unique_fd s) { accept(std::move(s), nullptr); });
  if (!acceptor) return std::move(acceptor).error();
  acceptors_.push_back(std::move(acceptor).value());
  return {};
}

Status ControlServer::serve_tcp(unique_fd listener, std::string token) {
  if (token.empty()) {
    return Error(errc::invalid_argument,
                 "the token of the HTTP listener is empty; put at least one word into its token_file", fault::caller);
  }
  tokens_.push_back(std::make_unique<std::string>(std::move(token)));
  auto acceptor = Acceptor::open(loop_, std::move(listener),
                                 [this, t = tokens_.back().get()](unique_fd s) { accept(std::move(s), t); });
  if (!acceptor) return std::move(acceptor).error();
  acceptors_.push_back(std::move(acceptor).value());
  return {};
}

void ControlServer::close() {
  acceptors_.clear();
  while (!clients_.empty()) clients_.begin()->second->connection->close();
}

std::size_t ControlServer::streams() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(clients_.begin(), clients_.end(), [](const auto& c) { return c.first->streaming(); }));
}

std::size_t ControlServer::tcp_connections() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(clients_.begin(), clients_.end(), [](const auto& c) { return c.second->over_tcp(); }));
}

bool ControlServer::may_use(int socket) const {
  const auto user = peer_user(socket);
  return user && std::find(options_.users.begin(), options_.users.end(), *user) != options_.users.end();
}

void ControlServer::accept(unique_fd socket, const std::string* token) {
  if (token == nullptr && !may_use(socket.get())) {
    return refuse(std::move(socket),
                  problem(403,
                          "this socket serves the user that runs the host, and root; use sudo -u, or "
                          "control.http with a token"));
  }
  const bool tcp = token != nullptr;
  const std::size_t limit = tcp ? options_.max_tcp_connections : options_.max_connections;
  if (clients_.size() >= options_.max_connections || (tcp && tcp_connections() >= limit)) {
    return refuse(std::move(socket), problem(503, "the control API has " + std::to_string(limit) +
                                                      (tcp ? " connections over TCP" : " connections") +
                                                      ", its limit; close some, then try again"));
  }
  const auto connection = add(std::move(socket), token);
  if (!connection->start(tcp ? options_.times.head : options_.times.idle)) connection->close();
}

void ControlServer::refuse(unique_fd socket, HttpResponse response) {
  if (clients_.size() >= options_.max_connections + kMaxRefused) return;
  const auto connection = add(std::move(socket), nullptr);
  if (!connection->start_refusing(std::move(response))) connection->close();
}

std::shared_ptr<Connection> ControlServer::add(unique_fd socket, const std::string* token) {
  auto client = std::make_unique<Client>(*this, token);
  auto connection =
      std::make_shared<Connection>(loop_, std::move(socket), *client, options_.requests, options_.times);
  client->connection = connection;
  clients_.emplace(connection.get(), std::move(client));
  return connection;
}

}  // namespace tenon::control
