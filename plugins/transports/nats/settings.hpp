// What the user configured, read once on the loop, and the options of nats.c made of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <tenon/sdk/host.hpp>
#include <tenon/transport.h>
#include <vector>

#include "library.hpp"

namespace tenon::nats {

struct Settings {
  std::vector<std::string> servers;  // "nats://host:port" or "tls://…"
  std::string shown;                 // the same for people: one text, without credentials
  std::string name;                  // of the connection, shown by the server
  std::string user, password, token, creds_file, nkey, nkey_seed_file;
  struct Tls {
    bool on = false, verify = true;
    std::string ca_file, cert_file, key_file;
    std::string hostname;  // expected in the server's certificate; empty: not checked
  } tls;
  std::size_t max_pending = 0;  // octets, outbound and inbound each
  std::chrono::milliseconds reconnect_wait{};
};

// Throws sdk::Error that names the value and what is expected. [loop]
Settings read_settings(const sdk::Host& host, const tenon_connection_config& config);

// Reads certificate and credential files, so it may block. Null on failure, which then says why.
OptionsPtr make_options(const Settings& settings, std::chrono::milliseconds timeout, Failure& failure);

}  // namespace tenon::nats
