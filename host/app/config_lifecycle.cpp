#include "app/config_lifecycle.hpp"


#include "common/exit_status.hpp"
#include "keeper/cgroup_layout.hpp"

namespace tenon::app {

using namespace std::chrono_literals;
using runtime::HealthConfig;
using runtime::HealthRole;
using runtime::LogConfig;
using runtime::OnUnhealthy;
using runtime::ReadyConfig;
using runtime::ReadyOn;
using runtime::ResourceLimits;
using runtime::RestartConfig;
using runtime::StopConfig;

namespace {

constexpr std::uint64_t kKiB = 1024, kMiB = 1024 * kKiB, kTiB = kMiB * kMiB;
constexpr std::size_t kMaxHealthChecks = 16;
constexpr std::int64_t kMaxInARow = 1000;

constexpr Choice<ReadyOn> kReadyOn[] = {{"start", ReadyOn::start},
                                        {"event", ReadyOn::event},
                                        {"notify", ReadyOn::notify},
                                        {"health", ReadyOn::health},
                                        {"exit", ReadyOn::exit}};
constexpr Choice<HealthRole> kRoles[] = {{"liveness", HealthRole::liveness},
                                         {"readiness", HealthRole::readiness},
                                         {"startup", HealthRole::startup}};
constexpr Choice<OnUnhealthy> kOnUnhealthy[] = {{"restart", OnUnhealthy::restart}, {"report", OnUnhealthy::report}};

constexpr Key<ReadyConfig> kReadyKeys[] = {
    {"on", [](ConfigReader& reader, const JsonValue& at,
              ReadyConfig& out) { reader.choice<ReadyOn>(at, out.on, kReadyOn); }},
    {"timeout",
     [](ConfigReader& reader, const JsonValue& at, ReadyConfig& out) { reader.duration(at, out.timeout, 0s, 24h); }},
};
const Section<ReadyConfig> kReady{"ready", kReadyKeys, {"on"}};

template <std::optional<std::uint64_t> ResourceLimits::*limit, std::uint64_t least>
void read_size_limit(ConfigReader& reader, const JsonValue& at, ResourceLimits& out) {
  std::uint64_t value = 0;
  if (reader.size(at, value, least, 1024 * kTiB)) out.*limit = value;
}

template <std::optional<std::uint64_t> ResourceLimits::*limit, std::int64_t least, std::int64_t most>
void read_count_limit(ConfigReader& reader, const JsonValue& at, ResourceLimits& out) {
  std::uint64_t value = 0;
  if (reader.whole(at, value, least, most)) out.*limit = value;
}

// Where the machine has no control group for it.
void warn_of_missing_group(ConfigReader& reader, const JsonValue& at, keeper::CgroupController controller,
                           const std::string& instead) {
  const std::string wrong = reader.machine().wrong_with_group_limit(controller);
  if (!wrong.empty()) reader.warn(at, instead + ": it " + wrong);
}

void read_memory(ConfigReader& reader, const JsonValue& at, ResourceLimits& out) {
  read_size_limit<&ResourceLimits::memory_bytes, kMiB>(reader, at, out);
  if (!out.memory_bytes) return;
  warn_of_missing_group(reader, at, keeper::CgroupController::memory,
                        "is kept as a limit of address space (RLIMIT_AS) of each of its processes");
}

void read_processes(ConfigReader& reader, const JsonValue& at, ResourceLimits& out) {
  read_count_limit<&ResourceLimits::processes, 1, 4'194'304>(reader, at, out);  // the kernel's largest pid_max
  if (!out.processes) return;
  warn_of_missing_group(reader, at, keeper::CgroupController::processes,
                        "is kept as a limit of all processes of its user (RLIMIT_NPROC), and not at all for root");
}

void read_cpu(ConfigReader& reader, const JsonValue& at, ResourceLimits& out) {
  double cores = 0;
  if (!reader.number(at, cores, 0, 4096, true)) return;
  out.cpu = cores;
  warn_of_missing_group(reader, at, keeper::CgroupController::cpu, "is not kept");
}

constexpr Key<ResourceLimits> kLimitKeys[] = {
    {"memory", read_memory},
    {"cpu", read_cpu},
    {"processes", read_processes},
    {"open_files", read_count_limit<&ResourceLimits::open_files, 4, 1'073'741'816>},  // the largest fs.nr_open
    {"core", read_size_limit<&ResourceLimits::core_bytes, 0>},
};
const Section<ResourceLimits> kLimits{"process_limits", kLimitKeys};

void read_signal(ConfigReader& reader, const JsonValue& at, StopConfig& out) {
  std::string name;
  constexpr std::string_view expected = "the name of a signal such as \"TERM\", \"INT\" or \"QUIT\"";
  if (!reader.text(at, name, expected)) return;
  if (const auto signal = parse_signal(name)) {
    out.signal = *signal;
    return;
  }
  std::vector<std::string> known;
  for (int number = 1; number < 32; ++number) known.push_back(signal_name(number));
  reader.wrong(at, std::string(expected) + suggestion(name, {known.begin(), known.end()}));
}

constexpr Key<StopConfig> kStopKeys[] = {
    {"signal", read_signal},
    {"drain",
     [](ConfigReader& reader, const JsonValue& at, StopConfig& out) { reader.duration(at, out.drain, 0s, 24h); }},
    {"grace",
     [](ConfigReader& reader, const JsonValue& at, StopConfig& out) { reader.duration(at, out.grace, 0s, 24h); }},
};
const Section<StopConfig> kStop{"stop", kStopKeys};

void read_log_file(ConfigReader& reader, const JsonValue& at, LogConfig& out) {
  std::string path;
  if (!reader.path(at, path)) return;
  const std::string wrong = reader.machine().wrong_with_log_file(path);
  if (!wrong.empty()) reader.doubt(at, wrong);
  out.file = std::move(path);
}

constexpr Key<LogConfig> kLogKeys[] = {
    {"memory", [](ConfigReader& reader, const JsonValue& at,
                  LogConfig& out) { reader.size(at, out.ring_bytes, kKiB, 64 * kMiB); }},
    {"file", read_log_file},
    {"max_file", [](ConfigReader& reader, const JsonValue& at,
                    LogConfig& out) { reader.size(at, out.max_file_bytes, 4 * kKiB, kTiB); }},
    {"max_age", [](ConfigReader& reader, const JsonValue& at,
                   LogConfig& out) { reader.duration(at, out.max_age, 1min, 24h * 3650); }},
    {"keep_files",
     [](ConfigReader& reader, const JsonValue& at, LogConfig& out) { reader.whole(at, out.keep_files, 0, 1000); }},
    {"rate",
     [](ConfigReader& reader, const JsonValue& at, LogConfig& out) { reader.size(at, out.rate_bytes, 0, kTiB); }},
    {"burst",
     [](ConfigReader& reader, const JsonValue& at, LogConfig& out) { reader.size(at, out.burst_bytes, kKiB, kTiB); }},
};
const Section<LogConfig> kLog{"log", kLogKeys};

void take_later(ConfigReader&, const JsonValue&, RestartConfig&) {}
constexpr Key<RestartConfig> kRestartKeys[] = {
    {"policy", [](ConfigReader& reader, const JsonValue& at,
                  RestartConfig& out) { reader.nonempty(at, out.policy, "a policy's name such as \"on_failure\""); }},
    {"config", take_later},  // by use_plugin()
};
const Section<RestartConfig> kRestart{"restart", kRestartKeys};

constexpr Key<HealthConfig> kHealthKeys[] = {
    {"check", [](ConfigReader& reader, const JsonValue& at,
                 HealthConfig& out) { reader.nonempty(at, out.check, "a health check's name such as \"http\""); }},
    {"role",
     [](ConfigReader& reader, const JsonValue& at, HealthConfig& out) { reader.choice<HealthRole>(at, out.role, kRoles); }},
    {"config", [](ConfigReader&, const JsonValue&, HealthConfig&) {}},  // by use_plugin()
    {"interval", [](ConfigReader& reader, const JsonValue& at,
                    HealthConfig& out) { reader.duration(at, out.interval, 1ms, 24h); }},
    {"timeout", [](ConfigReader& reader, const JsonValue& at,
                   HealthConfig& out) { reader.duration(at, out.timeout, 1ms, 1h); }},
    {"start_period", [](ConfigReader& reader, const JsonValue& at,
                        HealthConfig& out) { reader.duration(at, out.start_period, 0s, 24h); }},
    {"unhealthy_after", [](ConfigReader& reader, const JsonValue& at,
                           HealthConfig& out) { reader.whole(at, out.unhealthy_after, 1, kMaxInARow); }},
    {"healthy_after", [](ConfigReader& reader, const JsonValue& at,
                         HealthConfig& out) { reader.whole(at, out.healthy_after, 1, kMaxInARow); }},
    {"degraded_after", [](ConfigReader& reader, const JsonValue& at,
                          HealthConfig& out) { reader.whole(at, out.degraded_after, 1, kMaxInARow); }},
    {"on_unhealthy", [](ConfigReader& reader, const JsonValue& at,
                        HealthConfig& out) { reader.choice<OnUnhealthy>(at, out.on_unhealthy, kOnUnhealthy); }},
};
const Section<HealthConfig> kHealth{"health_check", kHealthKeys, {"check"}};

void check_role(ConfigReader& reader, const JsonValue& at, const HealthConfig& health) {
  const auto on_unhealthy = at.find("on_unhealthy");
  if (health.role != HealthRole::readiness || !on_unhealthy) return;
  reader.refuse(*on_unhealthy,
                "a readiness check never restarts: while it fails, the process gets no events and its groups go on "
                "without it; remove \"on_unhealthy\", or use the role \"liveness\"",
                "no \"on_unhealthy\" beside the role \"readiness\"");
}

}  // namespace

void read_ready(ConfigReader& reader, const JsonValue& at, ReadyConfig& out) { read_section(reader, at, kReady, out); }
void read_limits(ConfigReader& reader, const JsonValue& at, ResourceLimits& out) {
  read_section(reader, at, kLimits, out);
}
void read_stop(ConfigReader& reader, const JsonValue& at, StopConfig& out) { read_section(reader, at, kStop, out); }
void read_log(ConfigReader& reader, const JsonValue& at, LogConfig& out) { read_section(reader, at, kLog, out); }

void read_restart(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft, RestartConfig& out) {
  if (!read_section(reader, at, kRestart, out)) return;
  const auto policy = at.find("policy");
  out.config = use_plugin(reader, draft,
                          {"restart_policy", out.policy, policy.value_or(at), policy.has_value(), at.find("config")});
}

void read_health(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft, std::vector<HealthConfig>& out) {
  reader.array(at, kMaxHealthChecks, "health checks such as {\"check\": \"process\"}", [&](const JsonValue& one) {
    HealthConfig health;
    if (!read_section(reader, one, kHealth, health) || health.check.empty()) return;
    check_role(reader, one, health);
    health.config =
        use_plugin(reader, draft, {"health_check", health.check, *one.find("check"), true, one.find("config")});
    out.push_back(std::move(health));
  });
}

void describe_lifecycle(std::vector<SectionKeys>& out) {
  out.push_back(keys_of(kReady));
  out.push_back(keys_of(kLimits));
  out.push_back(keys_of(kStop));
  out.push_back(keys_of(kLog));
  out.push_back(keys_of(kRestart));
  out.push_back(keys_of(kHealth));
}

}  // namespace tenon::app
