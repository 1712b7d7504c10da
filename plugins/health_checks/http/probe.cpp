#include "probe.hpp"

#include <Poco/Net/Context.h>
#include <Poco/Net/DNS.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <istream>

#include "../../common/duration_text.hpp"
#include "../common/wording.hpp"

namespace tenon::health {
namespace {

constexpr std::size_t kBodyLimit = 1 << 20;  // octets of a body that are searched
constexpr int kHeaderLimit = 100;

// Poco and OpenSSL write without MSG_NOSIGNAL, and a plugin must not change the process's signal handling: SIGPIPE is
// blocked for this thread, and one that came is taken away before it is unblocked.
class SigpipeBlocked {
 public:
  SigpipeBlocked() noexcept {
    ::sigemptyset(&only_);
    ::sigaddset(&only_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &only_, &before_);
  }
  ~SigpipeBlocked() {
    const timespec at_once{};
    if (::sigismember(&before_, SIGPIPE) == 0) {
      while (::sigtimedwait(&only_, nullptr, &at_once) == SIGPIPE) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t only_, before_;
};

Poco::Net::Context::Ptr tls_context(HttpShared& shared) {
  using Poco::Net::Context;
  const std::lock_guard hold(shared.lock);
  if (shared.tls == nullptr) {
    const auto mode = shared.request.verify ? Context::VERIFY_STRICT : Context::VERIFY_NONE;
    auto context = std::make_shared<Context::Ptr>(
        new Context(Context::TLS_CLIENT_USE, "", "", "", mode, 9, shared.request.verify));
    (*context)->requireMinimumProtocol(Context::PROTO_TLSV1_2);
    shared.tls = std::move(context);
  }
  return *static_cast<Context::Ptr*>(shared.tls.get());
}

// An address, or a name's addresses in the resolver's order. Blocks.
std::vector<Poco::Net::IPAddress> resolve(const std::string& host) {
  Poco::Net::IPAddress address;
  if (Poco::Net::IPAddress::tryParse(host, address)) return {address};
  // Without a hint: the default hides loopback addresses on a machine without a network.
  return Poco::Net::DNS::hostByName(host, Poco::Net::DNS::DNS_HINT_NONE).addresses();
}

std::string shown(const Poco::Exception& e) { return printable(e.displayText()); }

}  // namespace

// The connected socket: published to abort() for as long as this lives.
class HttpProbe::Connection {
 public:
  explicit Connection(HttpProbe& probe) : probe_(probe), socket_(connect(probe)) {
    const std::lock_guard hold(probe.lock_);
    if (probe.aborted_) throw Poco::TimeoutException("aborted");
    probe.connection_ = ::fcntl(socket_.impl()->sockfd(), F_DUPFD_CLOEXEC, 0);
  }
  ~Connection() {
    const std::lock_guard hold(probe_.lock_);
    if (probe_.connection_ >= 0) ::close(probe_.connection_);
    probe_.connection_ = -1;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Poco::Net::StreamSocket& socket() { return socket_; }

 private:
  static Poco::Net::StreamSocket connect(HttpProbe& probe) {
    const HttpRequest& request = probe.shared_->request;
    const auto addresses = resolve(request.host);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      try {
        Poco::Net::StreamSocket socket;
        const auto share = probe.left() / (addresses.size() - i);
        socket.connect(Poco::Net::SocketAddress(addresses[i], request.port), Poco::Timespan(share.count()));
        return socket;
      } catch (const Poco::Exception&) {
        if (i + 1 == addresses.size()) throw;  // the last failure is the answer
      }
    }
    throw Poco::Net::HostNotFoundException(request.host);
  }

  HttpProbe& probe_;
  Poco::Net::StreamSocket socket_;
};

HttpProbe::HttpProbe(std::shared_ptr<HttpShared> shared, std::chrono::nanoseconds limit)
    : shared_(std::move(shared)), limit_(limit), deadline_(std::chrono::steady_clock::now() + limit) {}

HttpProbe::~HttpProbe() = default;

// Never 0, which Poco reads as "for ever".
std::chrono::microseconds HttpProbe::left() const {
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(deadline_ - std::chrono::steady_clock::now());
  if (left.count() <= 0) throw Poco::TimeoutException();
  return std::max(left, std::chrono::microseconds(1000));
}

void HttpProbe::run() noexcept {
  const HttpRequest& request = shared_->request;
  const std::string endpoint = endpoint_text(request.host, request.port);
  try {
    const SigpipeBlocked blocked;
    ask();
  } catch (const Poco::Net::ConnectionRefusedException&) {
    failure_ = "connection refused by " + endpoint;
  } catch (const Poco::TimeoutException&) {
    failure_ = "no complete answer from " + request.shown_url + " within " +
               plugins::describe_duration(static_cast<std::uint64_t>(limit_.count()));
  } catch (const Poco::Net::HostNotFoundException&) {
    failure_ = "cannot resolve " + request.host;
  } catch (const Poco::Net::NoMessageException&) {
    failure_ = endpoint + " closed the connection without an answer";
  } catch (const Poco::Net::SSLException& e) {
    failure_ = "no TLS connection to " + endpoint + ": " + shown(e);
  } catch (const Poco::Exception& e) {
    failure_ = "cannot ask " + request.shown_url + ": " + shown(e);
  } catch (const std::exception& e) {
    failure_ = "cannot ask " + request.shown_url + ": " + e.what();
  }
}

void HttpProbe::ask() {
  using namespace Poco::Net;
  const HttpRequest& wanted = shared_->request;
  Connection connection(*this);
  const Poco::Timespan handshake(left().count());
  connection.socket().setSendTimeout(handshake);
  connection.socket().setReceiveTimeout(handshake);
  // Not HTTPSClientSession: that cannot take over a connection (it sets its port, which a connected session refuses).
  StreamSocket stream = connection.socket();
  if (wanted.secure) stream = SecureStreamSocket::attach(stream, wanted.host, tls_context(*shared_));
  HTTPClientSession session(stream);
  const Poco::Timespan each(left().count());
  session.setTimeout(each, each, each);

  HTTPRequest request(wanted.method, wanted.path, HTTPMessage::HTTP_1_1);
  request.setHost(wanted.host, wanted.port);
  request.setKeepAlive(false);
  request.set("User-Agent", "tenon-health-check");
  if (wanted.method == "POST" || wanted.method == "PUT" || wanted.method == "PATCH") request.setContentLength(0);
  for (const auto& [name, value] : wanted.headers) request.set(name, value);
  session.sendRequest(request);

  HTTPResponse response;
  response.setFieldLimit(kHeaderLimit);
  std::istream& body = session.receiveResponse(response);
  if (!wanted.expected.contains(response.getStatus())) {
    failure_ = wanted.shown_url + " answered " + std::to_string(response.getStatus()) + " " +
               printable(response.getReason(), 64) + "; expected is " + wanted.expected.text();
    return;
  }
  if (wanted.body_contains.empty()) return;
  std::string text;
  char block[4096];
  while (text.size() < kBodyLimit && (body.read(block, sizeof block), body.gcount() > 0)) {
    // What may still begin a match must stay in front of what comes next.
    const std::size_t before = text.size() - std::min(text.size(), wanted.body_contains.size());
    text.append(block, static_cast<std::size_t>(body.gcount()));
    if (text.find(wanted.body_contains, before) != std::string::npos) return;
    session.socket().setReceiveTimeout(Poco::Timespan(left().count()));
  }
  if (session.networkException() != nullptr) session.networkException()->rethrow();
  failure_ = wanted.shown_url + " answered " + std::to_string(response.getStatus()) +
             ", but its body does not contain body_contains";
}

void HttpProbe::abort() noexcept {
  const std::lock_guard hold(lock_);
  aborted_ = true;
  if (connection_ >= 0) ::shutdown(connection_, SHUT_RDWR);
}

}  // namespace tenon::health
