#include "settings.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace tenon::nats {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kMaxPending = 64ull * 1024 * 1024;
constexpr std::size_t kServersMax = 64;
// A write that takes longer means that the server does not read; nats.c then drops the connection and reconnects.
constexpr std::int64_t kWriteDeadlineMs = 2000;
constexpr std::int64_t kPingIntervalMs = 20'000;
// nats.c would keep, and call published, what is sent while there is no connection. One octet lets at most the one
// message in that races with the disconnection.
constexpr int kReconnectBuffer = 1;
constexpr int kReconnectForever = -1;

sdk::Error bad(const std::string& what) { return {TENON_ERR_INVALID_ARGUMENT, what, TENON_FAULT_CALLER, false}; }

struct Url {
  std::string scheme, host;
  std::string shown;
};

// Without what stands before an '@', which may be a password wherever it stands.
std::string without_credentials(const std::string& text) {
  const std::size_t at = text.rfind('@');
  return at == std::string::npos ? one_line(text) : "***@" + one_line(text.substr(at + 1));
}

Url parse(const std::string& url) {
  const std::size_t colon = url.find("://");
  Url out;
  if (colon != std::string::npos) out.scheme = url.substr(0, colon);
  const bool legal =
      std::all_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
  std::string rest = colon == std::string::npos ? url : url.substr(colon + 3);
  const bool known = out.scheme == "nats" || out.scheme == "tls";
  out.shown = known ? out.scheme + "://" + without_credentials(rest) : without_credentials(url);
  if (const std::size_t at = rest.rfind('@'); at != std::string::npos) rest.erase(0, at + 1);
  if (!known || rest.empty() || !legal)
    throw bad("url \"" + out.shown + "\" is not of the form nats://host:port");
  out.host = rest.front() == '[' ? rest.substr(1, rest.find(']') - 1) : rest.substr(0, rest.find_first_of(":/"));
  return out;
}

bool is_address(const std::string& host) {
  unsigned char octets[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), octets) == 1 || inet_pton(AF_INET6, host.c_str(), octets) == 1;
}

void read_servers(Settings& out, std::string_view urls, std::string& only_host) {
  while (!urls.empty()) {
    const std::size_t comma = urls.find(',');
    std::string url(urls.substr(0, comma));
    urls = comma == std::string_view::npos ? std::string_view() : urls.substr(comma + 1);
    url.erase(0, std::min(url.find_first_not_of(' '), url.size()));
    url.erase(url.find_last_not_of(' ') + 1);
    const Url parsed = parse(url);
    out.tls.on = out.tls.on || parsed.scheme == "tls";
    out.shown += (out.shown.empty() ? "" : ", ") + parsed.shown;
    only_host = out.servers.empty() ? parsed.host : std::string();
    out.servers.push_back(std::move(url));
    if (out.servers.size() > kServersMax)
      throw bad("url names more than 64 servers; name fewer, the rest is discovered");
  }
  if (out.servers.empty()) throw bad("the url is empty; it must be of the form nats://host:port");
}

// Applies one option after another until one fails.
class Applying {
 public:
  explicit Applying(Failure& failure) : failure_(failure) {}
  void operator()(natsStatus status, const char* what) {
    if (failure_.ok() && status != NATS_OK)
      failure_ = failure_of(status, std::string("cannot use ") + what, last_error_text());
  }

 private:
  Failure& failure_;
};

void apply_tls(const Settings::Tls& tls, natsOptions* options, Applying& apply) {
  if (!tls.on) return;
  apply(natsOptions_SetSecure(options, true), "tls");
  if (!tls.ca_file.empty()) apply(natsOptions_LoadCATrustedCertificates(options, tls.ca_file.c_str()), "tls/ca_file");
  if (!tls.cert_file.empty())
    apply(natsOptions_LoadCertificatesChain(options, tls.cert_file.c_str(), tls.key_file.c_str()),
          "tls/cert_file and key_file");
  if (!tls.verify) {
    apply(natsOptions_SkipServerVerification(options, true), "tls/verify");
  } else if (!tls.hostname.empty()) {
    apply(natsOptions_SetExpectedHostname(options, tls.hostname.c_str()), "tls/hostname");
  }
}

void apply_identity(const Settings& settings, natsOptions* options, Applying& apply) {
  if (!settings.user.empty())
    apply(natsOptions_SetUserInfo(options, settings.user.c_str(), settings.password.c_str()), "user and password");
  if (!settings.token.empty()) apply(natsOptions_SetToken(options, settings.token.c_str()), "token");
  if (!settings.creds_file.empty())
    apply(natsOptions_SetUserCredentialsFromFiles(options, settings.creds_file.c_str(), nullptr), "creds_file");
  if (!settings.nkey.empty())
    apply(natsOptions_SetNKeyFromSeed(options, settings.nkey.c_str(), settings.nkey_seed_file.c_str()), "nkey");
}

}  // namespace

Settings read_settings(const sdk::Host& host, const tenon_connection_config& config) {
  Settings out;
  std::string only_host;
  read_servers(out, sdk::from_abi(config.url), only_host);
  out.name = host.config_string("/name", std::string(host.node()) + "/" + std::string(host.instance_name()));
  out.user = host.config_string("/user");
  out.password = host.config_string("/password");
  out.token = host.config_string("/token");
  out.creds_file = host.config_string("/creds_file");
  out.nkey = host.config_string("/nkey/public_key");
  out.nkey_seed_file = host.config_string("/nkey/seed_file");
  std::size_t has_tls = 0;
  out.tls.on = host.raw()->config_count(host.raw()->context, sdk::to_abi("/tls"), &has_tls) == TENON_OK || out.tls.on;
  out.tls.ca_file = host.config_string("/tls/ca_file");
  out.tls.cert_file = host.config_string("/tls/cert_file");
  out.tls.key_file = host.config_string("/tls/key_file");
  out.tls.verify = host.config_boolean("/tls/verify", true);
  // nats.c checks the name only if it is told one; it cannot check addresses.
  out.tls.hostname = host.config_string("/tls/hostname", is_address(only_host) ? std::string() : only_host);
  out.max_pending = static_cast<std::size_t>(host.config_size("/max_pending", kMaxPending));
  if (out.max_pending < 64 * 1024) throw bad("config value /max_pending is under 64KiB; raise it");
  const std::uint64_t wait = host.config_duration_ns("/reconnect_wait", 500 * kMillisecond);
  out.reconnect_wait = std::chrono::milliseconds(std::clamp<std::uint64_t>(wait / kMillisecond, 10, 60'000));
  if (out.tls.cert_file.empty() != out.tls.key_file.empty())
    throw bad("tls/cert_file and tls/key_file go together; set both");
  if (out.nkey.empty() != out.nkey_seed_file.empty())
    throw bad("nkey/public_key and nkey/seed_file go together; set both");
  return out;
}

OptionsPtr make_options(const Settings& settings, std::chrono::milliseconds timeout, Failure& failure) {
  failure = {};
  natsOptions* raw = nullptr;
  const natsStatus created = natsOptions_Create(&raw);
  OptionsPtr options(raw);
  Applying apply(failure);
  apply(created, "nats.c");
  if (!failure.ok()) return nullptr;
  std::vector<const char*> servers;
  for (const std::string& server : settings.servers) servers.push_back(server.c_str());
  const std::int64_t wait = settings.reconnect_wait.count();
  apply(natsOptions_SetServers(raw, servers.data(), static_cast<int>(servers.size())), "the url");
  apply(natsOptions_SetName(raw, settings.name.c_str()), "name");
  apply(natsOptions_SetTimeout(raw, timeout.count()), "the timeout");
  apply(natsOptions_SetMaxReconnect(raw, kReconnectForever), "unlimited reconnects");
  apply(natsOptions_SetReconnectWait(raw, wait), "reconnect_wait");
  apply(natsOptions_SetReconnectJitter(raw, wait / 5, wait), "the reconnect jitter");
  apply(natsOptions_SetReconnectBufSize(raw, kReconnectBuffer), "the reconnect buffer");
  apply(natsOptions_SetWriteDeadline(raw, kWriteDeadlineMs), "the write deadline");
  apply(natsOptions_SetPingInterval(raw, kPingIntervalMs), "the ping interval");
  apply(natsOptions_SetSendAsap(raw, true), "immediate sending");
  apply(natsOptions_UseGlobalMessageDelivery(raw, true), "shared delivery threads");
  apply_tls(settings.tls, raw, apply);
  apply_identity(settings, raw, apply);
  if (!failure.ok()) return nullptr;
  return options;
}

}  // namespace tenon::nats
