// A tree, and what its keeper was asked for.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/fakes.hpp"

namespace tenon::runtime::test {

struct SupervisionTreeFixture : testing::Test, World {
  std::vector<std::string> spawned() const {
    std::vector<std::string> ids;
    for (const std::string& line : keeper.log) {
      if (line.starts_with("spawn ")) ids.push_back(line.substr(6));
    }
    return ids;
  }
  std::vector<std::string> terms() const {
    std::vector<std::string> ids;
    for (const std::string& line : keeper.log) {
      if (line.ends_with(" TERM")) ids.push_back(line.substr(7, line.size() - 12));
    }
    return ids;
  }
  void crash_loop(const std::string& id, int exits) {
    for (int i = 0; i < exits && keeper.runs(id); ++i) {
      exit(id, 1);
      const MonotonicTime due = (*this)[id].due;
      if (due != MonotonicTime{}) advance(due - loop.clock().monotonic());
    }
  }
};

// Ready when it says so.
inline std::shared_ptr<ProcessConfig> on_event(std::string id, std::vector<std::string> depends_on = {}) {
  auto config = process(std::move(id), std::move(depends_on));
  config->ready = {ReadyOn::event, 10s};
  return config;
}

}  // namespace tenon::runtime::test
