// Octets to and from a server, in the clear or through TLS, over a non-blocking socket.
//
// The model. Each call does what can be done without waiting. Answered with wants_read or wants_write, the owner waits
// until the socket is ready for that and makes the same call again. After end and failed nothing more is to be had.
// TLS runs over memory, so that the socket is written with MSG_NOSIGNAL in one place. [loop]
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "request.hpp"
#include "tls.hpp"

namespace tenon::health {

class Stream {
 public:
  enum class Step { done, wants_read, wants_write, end, failed };

  explicit Stream(int fd) noexcept : fd_(fd) {}  // takes the descriptor
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int fd() const noexcept { return fd_; }
  // Why the last call failed.
  const std::string& error() const noexcept { return error_; }

  // From here on through TLS, towards request.server_name. False with error(): it cannot be set up.
  bool secure(const TlsContext& tls, const HttpRequest& request);
  Step handshake();  // done at once without TLS
  // Writes what is left of `rest` and shortens it; done when nothing is.
  Step write(std::string_view& rest);
  // Reads up to `size` octets; done with at least one.
  Step read(char* into, std::size_t size, std::size_t& got);

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const noexcept { ::SSL_free(ssl); }
  };

  Step send_plain(std::string_view& rest);
  Step receive_plain(char* into, std::size_t size, std::size_t& got);
  template <class Operation>
  Step through_tls(Operation&& operation);
  Step flush();
  Step fill();
  Step fail(std::string why);

  int fd_;
  std::unique_ptr<SSL, FreeSsl> ssl_;  // null: in the clear
  BIO* from_net_ = nullptr;            // both are ssl_'s
  BIO* to_net_ = nullptr;
  std::string unsent_;  // taken from to_net_, not yet by the socket
  std::string error_;
};

}  // namespace tenon::health
