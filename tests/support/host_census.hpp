// What a host says of its processes and what the kernel has, for tests that compare the two.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/host_process.hpp"

namespace tenon::test_support {

struct ToldProcess {
  std::string status, phase, desired, reason;
  pid_t pid = 0;  // 0: nothing of it runs
  std::int64_t restarts = 0;
  bool outdated = false;
};

// All that it has, by id, as of one moment; empty if nobody answers, or not as the API promises.
std::optional<std::map<std::string, ToldProcess>> told_processes(const HostProcess& host);

struct FoundProcess {
  pid_t pid = 0, group = 0;
  bool stopped = false; // by a signal, or its control group is frozen
  std::string id;       // its TENON_ID; empty: it has none
  std::string mode;     // its MODE; the same
  std::string command;  // its arguments, with blanks between them
};

// All that have NAME=VALUE in their environment. Zombies have none.
std::vector<FoundProcess> found_processes(const std::string& variable);

// A signal to the process only if NAME=VALUE is still in its environment: its number may be somebody else's by now.
// False if it is gone.
bool signal_if_has(pid_t pid, const std::string& variable, int signal_number);

}  // namespace tenon::test_support
