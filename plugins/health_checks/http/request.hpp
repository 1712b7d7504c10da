// What the http check asks and expects: its config, read and checked once.
#pragma once

#include <tenon/sdk/host.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tenon::health {

// Inclusive ranges of status codes.
struct ExpectedStatus {
  std::vector<std::pair<int, int>> ranges;
  bool contains(int status) const noexcept;
  std::string text() const;  // "200-399, 401"
};

struct HttpRequest {
  bool secure = false;  // https
  bool verify = true;   // the server's certificate and name
  std::string host;     // name or address, without brackets
  bool server_name_is_address = false;
  std::uint16_t port = 0;
  std::string ca_file;                                       // whom to trust, in PEM form; empty: the system's
  std::string server_name;                                   // whose certificate is expected; `host` unless configured
  std::string endpoint;                                      // host and port for reasons: "[::1]:80"
  std::string host_header;                                   // the same, the scheme's own port left out
  std::string target;                                        // path and query, begins with '/'
  std::string method;                                        // upper case
  std::vector<std::pair<std::string, std::string>> headers;  // in the order of the config
  ExpectedStatus expected;
  std::string body_contains;  // empty: the body is not read
  std::string shown_url;      // for reasons: without the query, which may hold secrets
};

// Throws sdk::Error that says what to change.
HttpRequest read_request(const sdk::Host& host);

}  // namespace tenon::health
