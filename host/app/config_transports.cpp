#include "app/config_draft.hpp"

namespace tenon::app {

using namespace std::chrono_literals;
using integration::BreakerConfig;
using integration::PoolConfig;
using integration::TransportConfig;

namespace {

constexpr std::size_t kMaxTransports = 256;
constexpr std::int64_t kMaxConnections = 256;

constexpr Key<PoolConfig> kPoolKeys[] = {
    {"min",
     [](ConfigReader& reader, const JsonValue& at, PoolConfig& out) { reader.whole(at, out.min, 0, kMaxConnections); }},
    {"max",
     [](ConfigReader& reader, const JsonValue& at, PoolConfig& out) { reader.whole(at, out.max, 1, kMaxConnections); }},
    {"acquire_timeout", [](ConfigReader& reader, const JsonValue& at,
                           PoolConfig& out) { reader.duration(at, out.acquire_timeout, 1ms, 1h); }},
    {"idle_timeout", [](ConfigReader& reader, const JsonValue& at,
                        PoolConfig& out) { reader.duration(at, out.idle_timeout, 1ms, 168h); }},
    {"max_lifetime", [](ConfigReader& reader, const JsonValue& at,
                        PoolConfig& out) { reader.duration(at, out.max_lifetime, 1s, 720h); }},
};
const Section<PoolConfig> kPool{"pool", kPoolKeys};

constexpr Key<BreakerConfig> kBreakerKeys[] = {
    {"failure_rate", [](ConfigReader& reader, const JsonValue& at,
                        BreakerConfig& out) { reader.number(at, out.failure_rate, 0, 1, true); }},
    {"slow_call", [](ConfigReader& reader, const JsonValue& at,
                     BreakerConfig& out) { reader.duration(at, out.slow_call, 0ms, 1h); }},
    {"window",
     [](ConfigReader& reader, const JsonValue& at, BreakerConfig& out) { reader.whole(at, out.window, 1, 10'000); }},
    {"minimum_calls", [](ConfigReader& reader, const JsonValue& at,
                         BreakerConfig& out) { reader.whole(at, out.minimum_calls, 1, 10'000); }},
    {"open_for", [](ConfigReader& reader, const JsonValue& at,
                    BreakerConfig& out) { reader.duration(at, out.open_for, 1ms, 24h); }},
    {"half_open_calls", [](ConfigReader& reader, const JsonValue& at,
                           BreakerConfig& out) { reader.whole(at, out.half_open_calls, 1, 1000); }},
};
const Section<BreakerConfig> kBreaker{"circuit_breaker", kBreakerKeys};

constexpr Key<TransportConfig> kHealthKeys[] = {
    {"interval", [](ConfigReader& reader, const JsonValue& at,
                    TransportConfig& out) { reader.duration(at, out.health_interval, 1ms, 24h); }},
    {"timeout", [](ConfigReader& reader, const JsonValue& at,
                   TransportConfig& out) { reader.duration(at, out.health_timeout, 1ms, 1h); }},
};
const Section<TransportConfig> kHealth{"transport_health_check", kHealthKeys};

// Accepted so that configs need no change when it comes; said, so that nobody relies on it before.
void warn_of_no_effect(ConfigReader& reader, const JsonValue& at) {
  reader.warn(at, "is checked but has no effect in this version: pools, circuit breakers and retries come with a later "
                  "one");
}

void read_pool(ConfigReader& reader, const JsonValue& at, TransportConfig& out) {
  warn_of_no_effect(reader, at);
  if (!read_section(reader, at, kPool, out.pool) || out.pool.min <= out.pool.max) return;
  if (at.find("max")) {
    reader.refuse(at, "\"min\" is greater than \"max\"; exchange or change them", "\"min\" up to \"max\"");
  } else {
    out.pool.max = out.pool.min;  // only "min" was given: its default pair would be a trap
  }
}

void read_breaker(ConfigReader& reader, const JsonValue& at, TransportConfig& out) {
  warn_of_no_effect(reader, at);
  BreakerConfig breaker;
  if (!read_section(reader, at, kBreaker, breaker)) return;
  if (breaker.minimum_calls > breaker.window) {
    if (at.find("minimum_calls")) {
      reader.refuse(at, "\"minimum_calls\" is greater than \"window\" (" + std::to_string(breaker.window) +
                            "), so the breaker could never open; lower it",
                    "\"minimum_calls\" up to \"window\"");
    }
    breaker.minimum_calls = breaker.window;
  }
  out.circuit_breaker = breaker;
}

void read_health(ConfigReader& reader, const JsonValue& at, TransportConfig& out) {
  out.health_interval = 5s;
  read_section(reader, at, kHealth, out);
}

void check_object(ConfigReader& reader, const JsonValue& at, TransportConfig&) {
  if (!at.is_object()) reader.wrong(at, "an object");
}

constexpr Key<TransportConfig> kTransportKeys[] = {
    {"plugin", [](ConfigReader& reader, const JsonValue& at,
                  TransportConfig& out) { reader.nonempty(at, out.plugin, "a transport's name such as \"nats\""); }},
    {"url", [](ConfigReader& reader, const JsonValue& at, TransportConfig& out) { reader.text(at, out.url); }},
    {"timeout", [](ConfigReader& reader, const JsonValue& at,
                   TransportConfig& out) { reader.duration(at, out.timeout, 1ms, 1h); }},
    {"retry_attempts",
     [](ConfigReader& reader, const JsonValue& at, TransportConfig& out) {
       warn_of_no_effect(reader, at);
       reader.whole(at, out.retry_attempts, 0, 1000);
     }},
    {"serializer", [](ConfigReader& reader, const JsonValue& at,
                      TransportConfig& out) { reader.nonempty(at, out.serializer, "a serializer's name"); }},
    {"pool", read_pool},
    {"circuit_breaker", read_breaker},
    {"health_check", read_health},
    {"config", check_object},  // taken over by use_plugin()
};
const Section<TransportConfig> kTransport{"transport", kTransportKeys, {"plugin"}};

bool is_legal_name(std::string_view name) {
  if (name.empty() || name.size() > 128) return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == name.npos;
}

void read_transport(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft) {
  TransportConfig transport;
  transport.name = at.key();
  const auto [first, fresh] = draft.transports.emplace(transport.name, at);
  if (!fresh) {
    reader.refuse(at, "is given a second time; keep this or the one at " + first->second.where(),
                  "a transport that is given once");
    return;
  }
  if (!is_legal_name(transport.name)) {
    reader.refuse_key(at, "a transport's name is 1 to 128 of the characters A-Z a-z 0-9 _ -; rename it",
                      "1 to 128 of the characters A-Z a-z 0-9 _ -");
  }
  if (draft.transports.size() == kMaxTransports + 1) reader.refuse(at, "there are more than 256 transports; join some");
  read_section(reader, at, kTransport, transport);
  if (!transport.plugin.empty()) {
    transport.config =
        use_plugin(reader, draft, {"transport", transport.plugin, *at.find("plugin"), true, at.find("config"), "{}", at,
                                    transport.url});
  }
  if (!transport.serializer.empty()) {
    use_plugin(reader, draft, {"serializer", transport.serializer, *at.find("serializer"), true, {}});
  }
  draft.host.transports.push_back(std::move(transport));
}

}  // namespace

void read_transports(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft) {
  if (!at.is_object()) {
    reader.wrong(at, "an object with a transport for each name");
    return;
  }
  for (const JsonMember member : at.members()) read_transport(reader, member.value, draft);
}

void describe_transports(std::vector<SectionKeys>& out) {
  out.push_back(keys_of(kTransport));
  out.push_back(keys_of(kPool));
  out.push_back(keys_of(kBreaker));
  out.push_back(keys_of(kHealth));
}

}  // namespace tenon::app
