// What the keeper needs to know to start a process, and to stop it without an engine.
//
// Every process finds TENON_RUN in its environment: a cookie by which what it leaves behind is known (orphans.hpp).
//
// A process is named by its id and generation: the id is the operator's ("counter.1"), the generation counts the starts
// of that id and is chosen by the engine. The keeper starts a (id, generation) at most once in its life: asking again
// answers again, with the same pid and the same descriptors.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/unique_fd.hpp"
#include "keeper/listen_spec.hpp"

namespace tenon::keeper {

inline constexpr std::size_t kMaxIdBytes = 512;
inline constexpr std::size_t kMaxProcesses = 100'000;  // that a config may name

struct ProcessKey {
  std::string id;                // 1 … kMaxIdBytes bytes
  std::uint64_t generation = 0;
  auto operator<=>(const ProcessKey&) const = default;
};

// "counter.1#3", for logs and errors.
std::string to_string(const ProcessKey& key);

enum class ChannelKind : std::uint8_t {
  none = 0,    // stdin is /dev/null; stdout goes where `standard_output` says
  stdio = 1,   // events on stdin and stdout, both pipes; `standard_output` is not looked at
  socket = 2,  // a connected stream socket, see channel_descriptor; stdin is /dev/null
};

// A listening socket that a process is passed, by the protocol of sd_listen_fds(3): from descriptor 3 on, named in
// LISTEN_FDNAMES. The keeper opens it at the first start that asks for it and holds it through all that follow.
struct PassedSocket {
  std::string name;     // 1 … 255 printable characters of ASCII without ':' (sd_listen_fds_with_names(3))
  ListenSpec listener;  // its name is that of all processes that share the socket
  // Nobody else has it open: O_NONBLOCK, which belongs to the socket and not to who has it, is set anew.
  bool alone = true;
  bool operator==(const PassedSocket&) const = default;
};
inline constexpr std::size_t kMaxPassedSockets = 16;

// Where a socket channel stands in a child with so many passed sockets. The caller says so in TENON_CHANNEL_FD.
constexpr int channel_descriptor(std::size_t passed_sockets) { return 3 + static_cast<int>(passed_sockets); }

enum class OutputMode : std::uint8_t {
  discard = 0,  // /dev/null
  capture = 1,  // a pipe whose read end comes back as ChildDescriptors::output or ::error
  inherit = 2,  // the keeper's own
  merge = 3,    // of stderr only: where stdout goes
};

struct ResourceLimit {
  std::int32_t resource = 0;  // RLIMIT_…
  std::uint64_t soft = 0;     // RLIM_INFINITY for none
  std::uint64_t hard = 0;
};

// What a process and all that it starts may use together. By a control group where there is one; else memory and
// processes by the rlimits RLIMIT_AS and RLIMIT_NPROC, which count otherwise, and cpu not at all.
struct GroupLimits {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint64_t> processes;
  std::optional<std::uint32_t> cpu_millicores;  // 500 is half a core; > 0
};

// How a process is stopped when the keeper does it: the signal to its process group, `grace`, then SIGKILL to the
// group. Children of the highest rank stop first, those of equal rank together.
struct StopPlan {
  std::int32_t signal_number = SIGTERM;
  std::chrono::milliseconds grace{5000};  // 0 … kMaxGrace; 0: SIGKILL at once
  std::uint32_t rank = 0;
};
inline constexpr std::chrono::milliseconds kMaxGrace = std::chrono::hours(24);

struct SpawnSpec {
  ProcessKey key;
  // Empty: argv[0]. With a '/': that file, relative to `directory`; else searched in the PATH of `environment`.
  std::string program;
  std::vector<std::string> argv;          // at least one
  std::vector<std::string> environment;   // "NAME=value", complete: nothing is inherited
  std::string directory;                  // empty: the keeper's own
  std::optional<std::uint32_t> uid, gid;  // absent: the keeper's own
  // Supplementary groups. Absent: none if uid or gid is set, else the keeper's own.
  std::optional<std::vector<std::uint32_t>> groups;
  std::optional<std::uint32_t> file_mode_mask;       // umask; absent: 022
  std::optional<std::int32_t> nice;                  // absolute, −20 … 19
  std::vector<ResourceLimit> limits;
  GroupLimits group_limits;
  bool no_new_privileges = false;
  // Bounding set: bit n keeps capability n (capabilities(7)). Absent: the keeper's own.
  std::optional<std::uint64_t> capabilities;
  bool private_tmp = false;                 // a mount namespace with empty file systems at /tmp and /var/tmp
  std::optional<std::int32_t> io_priority;  // as ioprio_set(2) takes it
  ChannelKind channel = ChannelKind::none;
  OutputMode standard_output = OutputMode::capture;
  OutputMode standard_error = OutputMode::capture;
  // A probe or helper of the engine: killed with its group when the engine ends, and never handed to a successor.
  bool transient = false;
  // A socket of its own for sd_notify(3): its name is added to `environment` as NOTIFY_SOCKET.
  bool notify = false;
  StopPlan stop;
  std::vector<PassedSocket> sockets;  // at most kMaxPassedSockets
};

// The host's ends, non-blocking and close-on-exec; each is invalid where the spec asked for none. The keeper keeps
// duplicates of all until told to close them.
struct ChildDescriptors {
  unique_fd input;    // write end of the child's stdin
  unique_fd output;   // read end of the child's stdout (events or log)
  unique_fd error;    // read end of the child's stderr
  unique_fd channel;  // the socket
  // Bound datagram socket with SO_PASSCRED. It has a name in the abstract namespace, so that a process of any user
  // reaches it; who sent a message, the receiver has to look up in its credentials.
  unique_fd notify;
};

enum class ChannelEnd : std::uint8_t { input = 0, output = 1, error = 2, channel = 3 };

}  // namespace tenon::keeper
