// What `tenon top` knows of a host at one moment. Pure: the API's documents in, data out; missing members are no error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/result.hpp"

namespace tenon::cli {

// Texts are printable; empty: there is none.
struct TopProcess {
  std::string id, status, health, reason, supervisor;
  std::optional<std::int64_t> pid;
  std::optional<std::uint64_t> memory;  // bytes
  std::optional<double> cpu_seconds;    // since it was started
  std::optional<double> cpu_share;      // of one processor, since the snapshot before; empty: not known yet
  std::optional<Duration> uptime;
  std::uint64_t restarts = 0;
  std::uint64_t waiting = 0, capacity = 0, dropped = 0, delivered = 0;  // events of its mailbox
  bool parked = false;                                                  // waits for a full receiver

  // In error, not healthy, on its way up (first, again, or waiting to be), or waiting as a sender.
  bool troubled() const noexcept;
};

struct TopSupervisor {
  std::string id, strategy, state, reason;
  std::uint64_t restarts = 0;
  std::size_t depth = 0;  // 0: the root
};

struct TopSnapshot {
  MonotonicTime taken{};  // by our own clock
  std::string node, version;
  std::optional<Duration> uptime;
  std::uint64_t engine_restarts = 0;
  std::uint64_t event_bytes = 0;  // of all events that wait
  std::vector<TopProcess> processes;
  std::vector<TopSupervisor> supervisors;  // each before its children; empty if the tree was not asked for
  std::optional<double> delivered_per_second;  // to processes, since the snapshot before
};

// Bodies of the API's answers.
struct TopDocuments {
  std::string info, processes;
  std::string tree;  // empty: not asked for
};

// errc::bad_data names the document that cannot be read.
Result<TopSnapshot> read_snapshot(const TopDocuments& documents, MonotonicTime taken);

// Fills in what needs two moments. A process counts from its start if it has been started in between.
void add_rates(TopSnapshot& now, const TopSnapshot& before);

// The processes as the host gave them, which `snapshot` was read from, with "cpu_percent" of one processor added to
// each (null: not known); on one line.
std::string cpu_json_line(const std::string& processes, const TopSnapshot& snapshot);

}  // namespace tenon::cli
