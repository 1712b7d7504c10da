#include "tls.hpp"

#include <openssl/err.h>

namespace tenon::health {
namespace {

TlsContext make_context() {
  std::shared_ptr<SSL_CTX> context(::SSL_CTX_new(::TLS_client_method()), &::SSL_CTX_free);
  if (context == nullptr) return {nullptr, "TLS cannot be used: " + tls_error_text()};
  ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  return {std::move(context), {}};
}

}  // namespace

TlsContext make_unverified_context() {
  TlsContext made = make_context();
  if (made.context != nullptr) ::SSL_CTX_set_verify(made.context.get(), SSL_VERIFY_NONE, nullptr);
  return made;
}

TlsContext make_verified_context(const std::string& ca_file) {
  TlsContext made = make_context();
  if (made.context == nullptr) return made;
  SSL_CTX* const context = made.context.get();
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  ::ERR_clear_error();
  if (ca_file.empty()) {
    if (::SSL_CTX_set_default_verify_paths(context) == 1) return made;
    return {nullptr, "cannot read the system's certificate authorities: " + tls_error_text()};
  }
  if (::SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) == 1) return made;
  return {nullptr, "cannot read tls_ca_file " + ca_file + ": " + tls_error_text()};
}

std::string tls_error_text() {
  const unsigned long error = ::ERR_get_error();
  ::ERR_clear_error();
  const char* const text = error == 0 ? nullptr : ::ERR_reason_error_string(error);
  return text == nullptr ? "OpenSSL gives no reason" : text;
}

}  // namespace tenon::health
