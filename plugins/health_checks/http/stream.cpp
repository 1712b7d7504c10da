#include "stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tenon::health {

Stream::~Stream() { ::close(fd_); }

bool Stream::secure(const TlsContext& tls, const HttpRequest& request) {
  ::ERR_clear_error();
  ssl_.reset(::SSL_new(tls.context.get()));
  from_net_ = ::BIO_new(::BIO_s_mem());
  to_net_ = ::BIO_new(::BIO_s_mem());
  const std::string& name = request.server_name;
  bool good = ssl_ != nullptr && from_net_ != nullptr && to_net_ != nullptr;
  if (good && request.server_name_is_address) {
    good = ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl_.get()), name.c_str()) == 1;
  } else if (good) {
    good = ::SSL_set_tlsext_host_name(ssl_.get(), name.c_str()) == 1 && ::SSL_set1_host(ssl_.get(), name.c_str()) == 1;
  }
  if (!good) {
    ::BIO_free(from_net_), ::BIO_free(to_net_);
    error_ = tls_error_text();
    return false;
  }
  ::SSL_set_bio(ssl_.get(), from_net_, to_net_);
  ::SSL_set_connect_state(ssl_.get());
  return true;
}

Stream::Step Stream::handshake() {
  if (ssl_ == nullptr) return Step::done;
  const Step step = through_tls([this] { return ::SSL_do_handshake(ssl_.get()); });
  if (step == Step::end) return fail("the server closed the connection");
  const long verified = ::SSL_get_verify_result(ssl_.get());
  if (step == Step::failed && verified != X509_V_OK)
    return fail(std::string("its certificate is refused: ") + ::X509_verify_cert_error_string(verified));
  return step;
}

Stream::Step Stream::write(std::string_view& rest) {
  if (ssl_ == nullptr) return send_plain(rest);
  while (!rest.empty()) {
    std::size_t written = 0;
    const Step step = through_tls([&] { return ::SSL_write_ex(ssl_.get(), rest.data(), rest.size(), &written); });
    if (step != Step::done) return step;
    rest.remove_prefix(written);
  }
  return flush();
}

Stream::Step Stream::read(char* into, std::size_t size, std::size_t& got) {
  if (ssl_ == nullptr) return receive_plain(into, size, got);
  return through_tls([&] { return ::SSL_read_ex(ssl_.get(), into, size, &got); });
}

Stream::Step Stream::send_plain(std::string_view& rest) {
  while (!rest.empty()) {
    const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return Step::wants_write;
    if (sent < 0) return fail(std::strerror(errno));
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return Step::done;
}

Stream::Step Stream::receive_plain(char* into, std::size_t size, std::size_t& got) {
  for (;;) {
    const ssize_t received = ::recv(fd_, into, size, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && errno == EAGAIN) return Step::wants_read;
    if (received < 0) return fail(std::strerror(errno));
    got = static_cast<std::size_t>(received);
    return received == 0 ? Step::end : Step::done;
  }
}

// Repeats an operation of OpenSSL's, which answers 1 when it is done, until it needs octets that are not there.
template <class Operation>
Stream::Step Stream::through_tls(Operation&& operation) {
  for (;;) {
    // What an earlier operation left: the server waits for it, too.
    if (const Step flushed = flush(); flushed != Step::done) return flushed;
    ::ERR_clear_error();
    const int result = operation();
    const int why = ::SSL_get_error(ssl_.get(), result);
    if (why != SSL_ERROR_NONE && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_ZERO_RETURN) {
      std::string text = tls_error_text();
      (void)flush();  // the alert that tells the server why
      return fail(std::move(text));
    }
    if (result == 1) return Step::done;
    if (why == SSL_ERROR_ZERO_RETURN) return Step::end;
    if (const Step flushed = flush(); flushed != Step::done) return flushed;
    if (const Step filled = fill(); filled != Step::done) return filled;
  }
}

Stream::Step Stream::flush() {
  char* octets = nullptr;
  if (const long size = ::BIO_get_mem_data(to_net_, &octets); size > 0) {
    unsent_.append(octets, static_cast<std::size_t>(size));
    (void)BIO_reset(to_net_);
  }
  std::string_view rest = unsent_;
  const Step step = send_plain(rest);
  unsent_.erase(0, unsent_.size() - rest.size());
  return step;
}

Stream::Step Stream::fill() {
  char block[16 * 1024];
  std::size_t got = 0;
  const Step step = receive_plain(block, sizeof block, got);
  if (step == Step::done && ::BIO_write(from_net_, block, static_cast<int>(got)) != static_cast<int>(got))
    return fail("out of memory");
  return step;
}

Stream::Step Stream::fail(std::string why) {
  error_ = std::move(why);
  return Step::failed;
}

}  // namespace tenon::health
