// A ProcessManager without a tree above it, and verbs that keep their answers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/fakes.hpp"

namespace tenon::runtime::test {

struct ProcessManagerFixture : testing::Test, World {
  using Answer = World::Answer;

  ProcessManagerFixture() { tree.reset(); }  // alone: the manager does as the policy says

  Answer spawn(std::shared_ptr<const ProcessConfig> config) {
    Answer answer;
    const ProcessId id = config->id;
    EXPECT_TRUE(manager->add(std::move(config), "root").ok());
    manager->start(id, answer.take());
    turn();
    return answer;
  }
  template <class Verb>
  Answer ask(Verb verb, const std::string& id) {
    Answer answer;
    (manager.get()->*verb)(id, answer.take());
    turn();
    return answer;
  }
  Answer start(const std::string& id) { return ask(&ProcessManager::start, id); }
  Answer stop(const std::string& id) {
    Answer answer;
    manager->stop_process(id, answer.take());
    turn();
    return answer;
  }
  Answer restart(const std::string& id) { return ask(&ProcessManager::restart, id); }
  Answer pause(const std::string& id) { return ask(&ProcessManager::pause, id); }
  Answer resume(const std::string& id) { return ask(&ProcessManager::resume, id); }
};

}  // namespace tenon::runtime::test
