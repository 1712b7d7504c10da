// Runs commands to their end for plugins: through the keeper, in a group of their own, with a deadline and a limit on
// output, of which the last octets are kept.
//
// A command for a process (a health check's) runs as that process does: with its user, groups, environment and
// directory. So a host that is root runs no probe as root that its operator gave to a process of somebody else.
//
// A relative directory, and a relative program with a slash, are relative to the config file in which their process
// stands, as all paths in it are.
//
// A command that is past its deadline, or not wanted any more, is killed with everything in its group. Its slot is free
// when the keeper has reported the exit.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "event/loop.hpp"
#include "integration/plugin_instance.hpp"
#include "keeper/messages.hpp"
#include "keeper/spawn_spec.hpp"
#include "runtime/process_config.hpp"

namespace tenon::integration {

class CommandLauncher {
 public:
  virtual ~CommandLauncher() = default;
  virtual Status spawn_command(keeper::SpawnSpec spec) = 0;
  virtual void kill_command(const keeper::ProcessKey& key) = 0;
  virtual void forget_command(const keeper::ProcessKey& key) = 0;
};

// The config of a process by its id; null: there is none.
using ProcessConfigs = std::function<const runtime::ProcessConfig*(std::string_view id)>;

class CommandRunner {
 public:
  static constexpr std::size_t kMaxCommands = 256;  // at once in the whole host
  static constexpr std::string_view kPrefix = "@command/";

  // `engine`: the number of this engine. What an earlier one started still dies under the same numbers, and is not
  // ours. `base`: the directory of the main config file, for commands that are for no process; empty: the host's own.
  CommandRunner(event::Loop& loop, CommandLauncher& launcher, std::uint64_t engine, ProcessConfigs processes,
                std::string base = {})
      : loop_(loop), launcher_(launcher), processes_(std::move(processes)), base_(std::move(base)),
        generation_(engine) {}

  // errc::exhausted when too many run, errc::not_found for a process that is not there. `done` exactly once unless
  // cancelled.
  Result<std::uint64_t> run(CommandRequest request, std::function<void(CommandOutcome)> done);
  void cancel(std::uint64_t command);

  static bool owns(const keeper::ProcessKey& key) noexcept { return key.id.starts_with(kPrefix); }
  void on_spawned(keeper::Spawned spawned);
  void on_spawn_failed(const keeper::SpawnFailed& failure);
  void on_exited(const keeper::Exited& exited);

 private:
  struct Command {
    keeper::ProcessKey key;
    std::function<void(CommandOutcome)> done;
    CommandOutcome outcome;
    std::size_t output_limit;
    MonotonicTime started;
    bool timed_out = false, cancelled = false;
    event::Handle deadline;
    unique_fd output, error;
    std::unique_ptr<event::FdWatch> output_watch, error_watch;
  };
  Command* find(const keeper::ProcessKey& key);
  void read(Command& command, unique_fd& from, std::unique_ptr<event::FdWatch>& watch);
  void finish(std::uint64_t number);

  event::Loop& loop_;
  CommandLauncher& launcher_;
  ProcessConfigs processes_;
  const std::string base_;
  std::map<std::uint64_t, std::unique_ptr<Command>> commands_;
  const std::uint64_t generation_;
  std::uint64_t next_ = 1;
};

}  // namespace tenon::integration
