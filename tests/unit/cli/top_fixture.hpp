// Snapshots for the tests of `tenon top`.
#pragma once

#include <string>
#include <vector>

#include "cli/top_snapshot.hpp"

namespace tenon::cli {

inline TopProcess a_process(std::string id, std::string status = "idle") {
  TopProcess process;
  process.id = std::move(id);
  process.status = std::move(status);
  process.supervisor = "root";
  return process;
}

inline TopSnapshot snapshot_of(std::vector<TopProcess> processes) {
  TopSnapshot snapshot;
  snapshot.taken = MonotonicTime(std::chrono::hours(1));
  snapshot.node = "alpha";
  snapshot.version = "1.2.3";
  snapshot.uptime = std::chrono::seconds(61);
  snapshot.processes = std::move(processes);
  return snapshot;
}

}  // namespace tenon::cli
