// Whom a TLS client trusts: the context that an instance's connections share.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace tenon::health {

struct TlsContext {
  std::shared_ptr<SSL_CTX> context;  // null: see `error`
  std::string error;                 // why there is none
};

// For connections whose peer is not verified. [any]
TlsContext make_unverified_context();
// For verified peers, signed by the authorities in the file (PEM form) or, if the path is empty, by the system's.
// Reads files for some milliseconds. [worker]
TlsContext make_verified_context(const std::string& ca_file);

// The first error that OpenSSL has noted on this thread, in words, and forgets all of them.
std::string tls_error_text();

}  // namespace tenon::health
