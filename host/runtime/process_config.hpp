// What the host must know to run one process: plain values, made and checked by the app from the config file.
//
// Nothing here is about messages: subscriptions, mailbox and delivery are kept by those who deliver. A config is shared
// and never changes once a ProcessManager has it; a reload brings a new one.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.hpp"

namespace tenon::runtime {

// The operator's name of a process, unique in the host: "counter.1". Never empty, never with a ':'.
using ProcessId = std::string;

enum class ChannelKind : std::uint8_t { none, stdio, socket };

enum class SocketKind : std::uint8_t { stream, datagram };

// A listening socket that a process is passed by the protocol of sd_listen_fds(3). All processes of one base id share
// it, and the host holds it through their restarts. It listens at `address` and `port`, or at `path`, or is the one
// of its name that was passed to the host itself.
struct SocketConfig {
  std::string name;     // in LISTEN_FDNAMES
  std::string address;  // a literal of IPv4 or IPv6
  std::uint16_t port = 0;
  std::string path;     // absolute, of a unix socket
  bool inherit = false;
  SocketKind kind = SocketKind::stream;
  std::int32_t backlog = 4096;  // of streams; the kernel takes net.core.somaxconn at most
  std::uint32_t mode = 0666;    // of the file at `path`
  bool operator==(const SocketConfig&) const = default;
};

// open_files and core are rlimits of the process; the others bound all that it starts together, by control groups where
// the machine has them (keeper/spawn_spec.hpp, GroupLimits). Empty: not limited by us.
struct ResourceLimits {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<double> cpu;  // cores: 0.5 is half a core; > 0
  std::optional<std::uint64_t> processes;
  std::optional<std::uint64_t> open_files;
  std::optional<std::uint64_t> core_bytes;
  bool operator==(const ResourceLimits&) const = default;
};

// When a process counts as ready, so that its dependents may start.
enum class ReadyOn : std::uint8_t {
  start,   // as soon as it was spawned
  event,   // when it says so on its channel
  notify,  // when it says so by sd_notify
  health,  // when all its health checks have said healthy once
  exit,    // a task: when it exited with 0
};

struct ReadyConfig {
  ReadyOn on = ReadyOn::start;
  Duration timeout = std::chrono::seconds(10);  // from spawn; 0: none. Not looked at with ReadyOn::start.
  bool operator==(const ReadyConfig&) const = default;
};

struct RestartConfig {
  std::string policy = "always";  // a restart_policy component's name
  std::string config = "{}";      // the policy's own, a JSON object as text
  bool operator==(const RestartConfig&) const = default;
};

enum class OnUnhealthy : std::uint8_t { restart, report };

// What follows from a check, with Kubernetes' meaning.
enum class HealthRole : std::uint8_t {
  liveness,   // unhealthy: `on_unhealthy`
  readiness,  // not known to be well: no events for it and its groups go on without it; nothing is restarted
  startup,    // alone until it succeeded once, then never again in the incarnation; unhealthy: `on_unhealthy`
};
std::string_view to_string(HealthRole role) noexcept;

struct HealthConfig {
  std::string check;                              // a health_check component's name
  HealthRole role = HealthRole::liveness;
  std::string config = "{}";                      // the check's own, a JSON object as text
  Duration interval = std::chrono::seconds(5);    // from the end of one check to the start of the next; at least 1 ms
  Duration timeout = std::chrono::seconds(1);     // of one check; at least 1 ms
  Duration start_period{0};                       // from spawn: failures do not count, one success ends it
  std::uint32_t unhealthy_after = 3;              // failures in a row, at least 1
  std::uint32_t healthy_after = 1;                // successes in a row, at least 1
  std::uint32_t degraded_after = 1;               // answers in a row that are not healthy, at least 1
  OnUnhealthy on_unhealthy = OnUnhealthy::restart;  // not looked at with HealthRole::readiness
  bool operator==(const HealthConfig&) const = default;
};

struct StopConfig {
  int signal = SIGTERM;
  Duration drain = std::chrono::seconds(2);  // at most this long for what is in flight to finish; 0: no drain
  Duration grace = std::chrono::seconds(5);  // from the signal to SIGKILL; 0: SIGKILL at once
  bool operator==(const StopConfig&) const = default;
};

struct LogConfig {
  std::size_t ring_bytes = 64 * 1024;                       // kept in memory, allocated as output comes; at least 1 KiB
  std::optional<std::string> file;                          // absent: memory only
  std::uint64_t max_file_bytes = 10 * 1024 * 1024;          // the file is rotated before it grows over this
  Duration max_age{0};                                      // of its first line, then the file is rotated; 0: any
  std::uint32_t keep_files = 3;                             // rotated files kept: file.1 (newest) … file.N; 0: truncate
  std::uint64_t rate_bytes = 4 * 1024 * 1024;               // kept per second in the long run; 0: unlimited
  std::uint64_t burst_bytes = 16 * 1024 * 1024;             // kept at once
  bool operator==(const LogConfig&) const = default;
};

struct ProcessConfig {
  ProcessId id;          // "counter.1"
  std::string base_id;   // "counter": a selector for all its replicas; equal to `id` where there are none
  // The command for people: an argument with variables as it is written, for they may hold secrets of the environment.
  // Empty: argv is.
  std::vector<std::string> shown_command;
  std::vector<std::string> argv;  // at least one; argv[0] is looked up in the PATH of the environment if it has no '/'
  std::string cwd;                // absolute; empty: the host's own
  std::string config_directory;   // of the file it stands in: what its checks' relative paths are relative to
  // "K=V". What the process gets is *shared_env (equal for all replicas; may be null) and then env; nothing is
  // inherited, and a name must not stand in both.
  std::shared_ptr<const std::vector<std::string>> shared_env;
  std::vector<std::string> env;
  std::optional<std::uint32_t> uid, gid;  // absent: the host's own
  std::optional<std::vector<std::uint32_t>> groups;
  std::optional<std::uint32_t> umask;
  std::optional<std::int32_t> nice;  // −20 … 19
  bool no_new_privileges = false;
  std::optional<std::uint64_t> capabilities;  // bit n: it may have capability n (capabilities(7)); absent: all
  bool private_tmp = false;                   // /tmp and /var/tmp are its own, and gone with it
  std::optional<std::int32_t> io_priority;    // as ioprio_set(2) takes it
  ResourceLimits limits;
  ChannelKind channel = ChannelKind::none;
  std::vector<SocketConfig> sockets;  // from its descriptor 3 on
  bool notify = false;  // it gets a socket to speak of itself by sd_notify(3), and NOTIFY_SOCKET
  ReadyConfig ready;
  RestartConfig restart;
  std::vector<HealthConfig> health;
  StopConfig stop;
  bool significant = false;             // to its supervisor's auto_shutdown
  std::vector<std::string> depends_on;  // ids of processes, base ids or ids of supervisors, anywhere in the tree
  LogConfig log;
  // Of all that a process is started with and cannot be told later (command, user, environment, limits, terms of its
  // channel), made by whoever makes the config: where it changed, only a restart brings the change.
  std::uint64_t start_digest = 0;
};

// The first octet of a start_digest says how it was made. Those of engines of two releases may be made differently, and
// then say nothing about each other.
constexpr bool are_comparable(std::uint64_t one, std::uint64_t other) noexcept { return one >> 56 == other >> 56; }

}  // namespace tenon::runtime
