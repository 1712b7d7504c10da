// The parent process: starts, reaps and holds everything; starts the engine again when it ends.
//
// The model. The keeper is *running* until it is told to stop: by SIGTERM or SIGINT (then the engine is asked to
// stop everything, within a bound), by the engine (Stopping, within the same bound; Quit), or by a second signal. It
// is then *stopping*: it follows the shutdown plan (shutdown_plan.hpp) over all children that are left, starts
// nothing any more, and ends when none is left or the plan gives up on what even SIGKILL does not move. A third
// signal, or SIGQUIT, kills all at once. An engine that dies after the stop was asked or announced has no successor:
// the keeper goes on with the stop itself.
//
// While running there is at most one engine (engine_supervisor.hpp). When it ends, children and listeners stay as they
// are, and the next engine is told of all of them (child_table.hpp, stash.hpp, listeners.hpp).
//
// The keeper is single-threaded, waits only in epoll, and never waits for the engine: what the engine does not read is
// queued within a limit, past which it counts as hung.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/clock.hpp"

namespace tenon::keeper {

struct KeeperOptions {
  // Opaque, handed to every engine with its Hello (configuration path, flags): at most 1 MiB.
  std::string host_parameters;
  // The engine is this same binary, executed from a descriptor opened at the start, so that replacing the file on disk
  // changes nothing. argv[0] is for people only.
  std::vector<std::string> engine_argv = {"tenon", "engine"};
  // "NAME=value"; empty: the keeper's environment at the start. TENON_KEEPER_LINK is added.
  std::vector<std::string> engine_environment;

  std::chrono::milliseconds shutdown_bound{15'000};  // until the engine says otherwise
  Duration hang_timeout = std::chrono::seconds(10);  // until the engine sets its own in the vitals page
  Duration greeting_timeout = std::chrono::seconds(10);
  Duration unavailable_after = std::chrono::seconds(5);  // without an engine, http listeners answer 503 from then on
};

// Runs until the host has ended. Returns the exit code of the host: what the engine gave with Quit, 0 after a clean
// stop by a signal, 1 if the keeper could not start its work or a child could not be killed.
//
// Must be called from a process with one thread, early in main: it takes over signals, the descriptor limit and the OOM
// score, becomes a child subreaper, and marks every inherited descriptor but 0, 1 and 2 close-on-exec.
int run_keeper(const KeeperOptions& options);

}  // namespace tenon::keeper
