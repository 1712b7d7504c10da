// The `tenon` command line: what a person types, over the control API of a running host.
//
// The model. A verb is looked up in one table (verb_table.hpp), its arguments are parsed (command_line.hpp), and then
// it is either local (run, check, plugin info, and the engine that the keeper starts), which the host's own code does
// through LocalVerbs, or one or two HTTP calls on the control socket and a rendering of the answer. Exit codes: 0
// done · 1 refused or failed, with one line on stderr · 2 wrong usage · 3 the host is not running.
//
// Not thread-safe; run() is a process's main function. It ignores SIGPIPE and, while it streams, takes SIGINT and
// SIGTERM as "enough".
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/clock.hpp"

namespace tenon::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kNoHost = 3;

struct RunRequest {
  std::string config;              // as typed
  std::string socket;              // --socket, else $TENON_SOCKET; empty: the config's, else the default
  std::optional<Duration> run_for;
  bool until_idle = false;
};

// What needs the host's own code. Each returns the exit code and has said on stderr what there was to say.
struct LocalVerbs {
  std::string version;  // for --version
  std::function<int(const RunRequest&)> run;
  std::function<int(const std::string& config, bool json)> check;
  std::function<int(const std::string& file, bool json)> plugin_info;
  std::function<int()> engine;  // `tenon engine`, which only the keeper calls
};

int run(int argc, char** argv, const LocalVerbs& local);

}  // namespace tenon::cli
