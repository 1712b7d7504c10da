// What the keeper and the engine say to each other, as plain structs. wire.hpp turns them into packets and back.
//
// The conversation. The keeper says Hello, the engine answers HelloAck or exits because it speaks another version.
// Then the keeper sends everything it holds (StashEntry, AdoptedChild, AdoptedListener in any order) and AdoptEnd.
// From then on the engine asks and the keeper answers; Exited, ShutdownRequested and ReloadRequested come unasked.
// An exit is told to every engine that comes, until one of them says Forget.
//
// Each struct lists its fields in `fields`, in wire order: writer, reader and tests share that one description. Fields
// are only ever added at the end, with a new kProtocolVersion.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/exit_status.hpp"
#include "common/unique_fd.hpp"
#include "keeper/listen_spec.hpp"
#include "keeper/spawn_spec.hpp"

namespace tenon::keeper {

inline constexpr std::uint32_t kProtocolVersion = 8;
inline constexpr std::size_t kMaxStashKeyBytes = 1024;
inline constexpr std::size_t kMaxStashDescriptors = 16;  // of one entry

// What became of a process, told with Exited and AdoptedChild.
struct ExitReport {
  ExitStatus status;
  std::chrono::nanoseconds run_time{0};
  std::chrono::nanoseconds user_cpu{0}, system_cpu{0};  // the process and the descendants it waited for
  std::uint64_t max_resident_bytes = 0;
  bool out_of_memory = false;  // the kernel killed it, because its control group had no memory left

  template <class A> void fields(A& a) { a(status)(run_time)(user_cpu)(system_cpu)(max_resident_bytes)(out_of_memory); }
};

// ---- keeper → engine ------------------------------------------------------------------------------------------------

struct Hello {
  std::uint32_t protocol_version = kProtocolVersion;  // first in every version to come
  std::int32_t keeper_pid = 0;
  std::int64_t keeper_started_ns = 0;      // CLOCK_MONOTONIC
  std::int64_t keeper_started_wall_ns = 0; // CLOCK_REALTIME
  std::uint64_t engine_ordinal = 0;        // 1 for the first engine of this keeper
  std::uint64_t engine_restarts = 0;       // how often an engine ended without having been asked to
  std::uint64_t recent_restarts = 0;       // of those, within the last 60 s
  std::optional<ExitStatus> previous_exit; // of the engine before; absent: this is the first
  bool previous_hung = false;              // the one before was killed because it hung; not if it was stopped
  std::int64_t engine_lost_ns = 0;         // CLOCK_MONOTONIC when the one before ended; 0: this is the first
  std::string host_parameters;             // what the app gave to run_keeper, unread
  unique_fd vitals;                        // VitalsPage (vitals.hpp), new for each engine
  unique_fd breadcrumbs;                   // BreadcrumbPage (breadcrumb.hpp), the same for all engines of this keeper
  std::string run;                         // in the cookies of all that this keeper starts (orphans.hpp)
  std::vector<std::string> cgroups;        // Cgroups::directories()
  std::uint64_t upgrades = 0;              // how often another binary was tried for the engine, this time included
  std::string upgrade_failure;             // why the last was rolled back; empty: it was not

  template <class A> void fields(A& a) {
    a(protocol_version)(keeper_pid)(keeper_started_ns)(keeper_started_wall_ns)(engine_ordinal)(engine_restarts);
    a(recent_restarts)(previous_exit)(previous_hung)(engine_lost_ns)(host_parameters)(vitals)(breadcrumbs)(run)(cgroups)(upgrades);
    a(upgrade_failure);
  }
};

struct StashEntry {
  std::string key;
  std::string bytes;
  std::vector<unique_fd> descriptors;
  template <class A> void fields(A& a) { a(key)(bytes)(descriptors); }
};

struct AdoptedChild {
  ProcessKey key;
  std::int32_t pid = 0;
  std::int64_t started_ns = 0;       // CLOCK_MONOTONIC
  std::int64_t started_wall_ns = 0;  // CLOCK_REALTIME
  std::optional<ExitReport> exit;    // absent: running
  ChannelKind channel = ChannelKind::none;
  StopPlan stop;
  ChildDescriptors descriptors;      // those not closed so far
  template <class A> void fields(A& a) {
    a(key)(pid)(started_ns)(started_wall_ns)(exit)(channel)(stop)(descriptors);
  }
};

struct AdoptedListener {
  ListenSpec spec;
  std::uint16_t port = 0;  // tcp: the one bound
  unique_fd socket;
  template <class A> void fields(A& a) { a(spec)(port)(socket); }
};

struct AdoptEnd {
  template <class A> void fields(A&) {}
};

struct Spawned {
  ProcessKey key;
  std::int32_t pid = 0;
  std::int64_t started_ns = 0, started_wall_ns = 0;
  ChildDescriptors descriptors;
  template <class A> void fields(A& a) { a(key)(pid)(started_ns)(started_wall_ns)(descriptors); }
};

struct SpawnFailed {
  ProcessKey key;
  std::string stage;              // what failed: "exec", "chdir", "setuid", "pipe", "refused", …
  std::int32_t error_number = 0;  // errno; 0 where no call failed
  std::string message;            // a sentence for the operator
  template <class A> void fields(A& a) { a(key)(stage)(error_number)(message); }
};

struct Exited {
  ProcessKey key;
  std::int32_t pid = 0;
  ExitReport exit;
  template <class A> void fields(A& a) { a(key)(pid)(exit); }
};

// The keeper has closed its duplicate: the engine's own is the last of the host's.
struct Closed {
  ProcessKey key;
  ChannelEnd end = ChannelEnd::input;
  template <class A> void fields(A& a) { a(key)(end); }
};

struct SignalFailed {
  ProcessKey key;
  std::int32_t signal_number = 0;
  std::int32_t error_number = 0;  // errno; ESRCH: not running, or unknown
  template <class A> void fields(A& a) { a(key)(signal_number)(error_number); }
};

// A StashPut that was over a limit; what the key held before still stands.
struct StashRefused {
  std::string key;
  std::string message;
  template <class A> void fields(A& a) { a(key)(message); }
};

struct Listening {
  std::string name;
  std::uint16_t port = 0;  // tcp: the one bound
  unique_fd socket;
  template <class A> void fields(A& a) { a(name)(port)(socket); }
};

struct ListenFailed {
  std::string name;
  std::int32_t code = 0;  // errc as a number
  std::string message;    // a sentence for the operator: names the path or address and what to do
  template <class A> void fields(A& a) { a(name)(code)(message); }
};

// The keeper got SIGTERM or SIGINT: stop everything, then Quit. Past the bound the keeper does it itself.
struct ShutdownRequested {
  std::chrono::milliseconds bound{0};
  template <class A> void fields(A& a) { a(bound); }
};

// The keeper got SIGHUP.
struct ReloadRequested {
  template <class A> void fields(A&) {}
};

// Another engine follows, of another binary: flush what is queued, and exit. Nothing is asked any more.
struct Leave {
  template <class A> void fields(A&) {}
};

// An upgrade was refused before anything was tried.
struct UpgradeRefused {
  std::uint64_t upgrades = 0;  // as in Hello
  std::string failure;
  template <class A> void fields(A& a) { a(upgrades)(failure); }
};

// The process that was started has ended, and the one that it named as its main process goes on as it.
struct HandedOver {
  ProcessKey key;
  std::int32_t pid = 0;
  template <class A> void fields(A& a) { a(key)(pid); }
};

// A MainProcess that is not followed.
struct MainProcessRefused {
  ProcessKey key;
  std::int32_t pid = 0;
  std::string why;  // a sentence for the operator
  template <class A> void fields(A& a) { a(key)(pid)(why); }
};

// ---- engine → keeper ------------------------------------------------------------------------------------------------

struct HelloAck {
  std::uint32_t protocol_version = kProtocolVersion;
  template <class A> void fields(A& a) { a(protocol_version); }
};

struct SpawnRequest {
  SpawnSpec spec;
  template <class A> void fields(A& a) { a(spec); }
};

// group: the process group; where the process has a control group, SIGKILL, SIGSTOP and SIGCONT reach all that is in it,
// and the latter two without anybody noticing: it is frozen.
enum class SignalTarget : std::uint8_t { process = 0, group = 1 };

struct SignalRequest {
  ProcessKey key;
  std::int32_t signal_number = 0;
  SignalTarget to = SignalTarget::process;
  template <class A> void fields(A& a) { a(key)(signal_number)(to); }
};

struct StopPlanUpdate {
  ProcessKey key;
  StopPlan stop;
  template <class A> void fields(A& a) { a(key)(stop); }
};

struct CloseRequest {
  ProcessKey key;
  ChannelEnd end = ChannelEnd::input;
  template <class A> void fields(A& a) { a(key)(end); }
};

// The exit was taken note of: the keeper drops the child and its descriptors. Ignored while the process runs.
struct Forget {
  ProcessKey key;
  template <class A> void fields(A& a) { a(key); }
};

// Replaces what the key held, descriptors too.
struct StashPut {
  std::string key;
  std::string bytes;
  std::vector<unique_fd> descriptors;
  template <class A> void fields(A& a) { a(key)(bytes)(descriptors); }
};

struct StashDelete {
  std::string key;
  template <class A> void fields(A& a) { a(key); }
};

struct ListenRequest {
  ListenSpec spec;
  template <class A> void fields(A& a) { a(spec); }
};

struct Unlisten {
  std::string name;
  template <class A> void fields(A& a) { a(name); }
};

// How long the engine's own orderly stop may take from now on.
struct ShutdownBound {
  std::chrono::milliseconds bound{0};
  template <class A> void fields(A& a) { a(bound); }
};

// The engine begins to stop everything, within the ShutdownBound from now on: if it dies or takes longer, the keeper
// stops the rest by rank. The host ends with this code, whoever ends it.
struct Stopping {
  std::int32_t exit_code = 0;  // 0 … 255
  template <class A> void fields(A& a) { a(exit_code); }
};

// The engine has stopped everything, or could not start: the host ends with this code once no child is left.
struct Quit {
  std::int32_t exit_code = 0;  // 0 … 255
  template <class A> void fields(A& a) { a(exit_code); }
};

// How the keeper logs from now on: as the config says of the host. log::Level and log::Format as numbers; others are
// ignored.
struct LogSettings {
  std::uint8_t level = 0;
  std::uint8_t format = 0;
  template <class A> void fields(A& a) { a(level)(format); }
};

// It has taken over (or begun) and works: from here on it is the engine, not a trial.
struct Works {
  template <class A> void fields(A&) {}
};

// The next engine is to be of this binary; if it does not work within kUpgradePatience, of the present one again.
struct UpgradeRequest {
  std::string binary;  // a path; empty: where the keeper's own was installed
  template <class A> void fields(A& a) { a(binary); }
};

// A turn of the engine's loop began after one of those in which the keeper does not look (vitals.hpp).
struct Awake {
  template <class A> void fields(A&) {}
};

// The process named another as its main process (MAINPID of sd_notify(3)): one of its descendants, which goes on as it
// when it ends itself. Its own pid takes an earlier one back.
struct MainProcess {
  ProcessKey key;
  std::int32_t pid = 0;
  template <class A> void fields(A& a) { a(key)(pid); }
};

// The place of a type in this list is its number on the wire: append only.
using Message = std::variant<Hello, StashEntry, AdoptedChild, AdoptedListener, AdoptEnd, Spawned, SpawnFailed, Exited,
                             Closed, SignalFailed, StashRefused, Listening, ListenFailed, ShutdownRequested,
                             ReloadRequested, HelloAck, SpawnRequest, SignalRequest, StopPlanUpdate, CloseRequest,
                             Forget, StashPut, StashDelete, ListenRequest, Unlisten, ShutdownBound, Stopping, Quit,
                             LogSettings, Leave, UpgradeRefused, Works, UpgradeRequest, Awake,
                             HandedOver, MainProcessRefused, MainProcess>;

}  // namespace tenon::keeper
