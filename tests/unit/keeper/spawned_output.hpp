// What a spawned shell says, for tests of what the Spawner gives to a process or takes from it.
#pragma once

#include <string>
#include <sys/wait.h>
#include <utility>
#include <variant>
#include <vector>

#include "common/system.hpp"
#include "keeper/spawner.hpp"

namespace tenon::keeper::test {

// Runs `script` as `spec` says, with the sockets that go with it, to its end. Its stdout; or why it was not started.
inline std::string spawned_output(SpawnSpec spec, const std::string& script, const std::vector<int>& sockets = {}) {
  spec.key = {"test", 1};
  spec.argv = {"/bin/sh", "-c", script};
  spec.environment = {"PATH=/usr/bin:/bin"};
  auto outcome = Spawner({}).spawn(spec, {}, sockets);
  if (auto* failure = std::get_if<SpawnFailure>(&outcome)) return failure->message;
  auto& child = std::get<SpawnedChild>(outcome);
  (void)set_nonblocking(child.descriptors.output.get(), false);
  std::string text = read_all(child.descriptors.output.get(), 1 << 20, "pipe").value();
  ::waitpid(child.pid, nullptr, 0);
  return text;
}

}  // namespace tenon::keeper::test
