#include "runtime/process_status.hpp"

#include <gtest/gtest.h>

#include <set>

namespace tenon::runtime {
namespace {

using enum ProcessPhase;

struct StatusCase {
  ProcessPhase phase;
  bool paused;
  std::uint32_t in_flight;
  ProcessStatus status;
  ProcessStatus out_of_service;  // by a readiness check
};

TEST(ProcessStatus, IsAFunctionOfPhasePauseServiceAndWorkInHand) {
  using enum ProcessStatus;
  const StatusCase cases[] = {
      {ProcessPhase::waiting, false, 0, initializing, initializing},
      {ProcessPhase::spawning, false, 0, initializing, initializing},
      {ProcessPhase::starting, false, 0, initializing, initializing},
      {ProcessPhase::starting, false, 3, initializing, initializing},
      {ProcessPhase::running, false, 0, idle, initializing},
      {ProcessPhase::running, false, 1, busy, initializing},
      {ProcessPhase::running, true, 1, paused, paused},
      {ProcessPhase::waiting, true, 0, paused, paused},
      {ProcessPhase::starting, true, 0, paused, paused},
      {ProcessPhase::draining, true, 2, stopping, stopping},
      {ProcessPhase::signalled, false, 0, stopping, stopping},
      {ProcessPhase::killed, true, 0, stopping, stopping},
      {ProcessPhase::terminated, true, 0, terminated, terminated},
      {ProcessPhase::error, true, 0, ProcessStatus::error, ProcessStatus::error},
  };
  for (const StatusCase& each : cases) {
    EXPECT_EQ(status_of(each.phase, each.paused, true, each.in_flight), each.status)
        << to_string(each.phase) << " paused " << each.paused << " in flight " << each.in_flight;
    EXPECT_EQ(status_of(each.phase, each.paused, false, each.in_flight), each.out_of_service)
        << to_string(each.phase) << " paused " << each.paused << " in flight " << each.in_flight;
  }
}

TEST(ProcessStatus, NamesAreThoseOfTheContract) {
  EXPECT_EQ(to_string(ProcessStatus::initializing), "initializing");
  EXPECT_EQ(to_string(ProcessStatus::idle), "idle");
  EXPECT_EQ(to_string(ProcessStatus::busy), "busy");
  EXPECT_EQ(to_string(ProcessStatus::paused), "paused");
  EXPECT_EQ(to_string(ProcessStatus::error), "error");
  EXPECT_EQ(to_string(ProcessStatus::stopping), "stopping");
  EXPECT_EQ(to_string(ProcessStatus::terminated), "terminated");
}

TEST(ProcessTransitions, AllowTheseOfPhasesAndNoOthers) {
  const std::set<std::pair<ProcessPhase, ProcessPhase>> allowed = {
      {waiting, spawning},   {waiting, terminated},   {waiting, error},
      {spawning, waiting},   {spawning, starting},    {spawning, signalled}, {spawning, killed},
      {spawning, terminated}, {spawning, error},
      {starting, waiting},   {starting, running},     {starting, signalled}, {starting, killed},
      {starting, terminated}, {starting, error},
      {running, waiting},    {running, draining},     {running, signalled},  {running, killed},
      {running, terminated}, {running, error},
      {draining, waiting},   {draining, signalled},   {draining, killed},    {draining, terminated}, {draining, error},
      {signalled, waiting},  {signalled, killed},     {signalled, terminated}, {signalled, error},
      {killed, waiting},     {killed, terminated},    {killed, error},
      {terminated, waiting}, {terminated, error},
      {error, waiting},      {error, terminated},
  };
  for (std::uint8_t from = 0; from <= kLastPhase; ++from) {
    for (std::uint8_t to = 0; to <= kLastPhase; ++to) {
      const auto pair = std::pair(ProcessPhase{from}, ProcessPhase{to});
      EXPECT_EQ(may_follow(pair.first, pair.second), allowed.contains(pair))
          << to_string(pair.first) << " to " << to_string(pair.second);
    }
  }
}

TEST(ProcessTransitions, NothingThatEndedBecomesReadyWithoutInitializing) {
  for (const ProcessStatus ended : {ProcessStatus::error, ProcessStatus::terminated}) {
    for (const ProcessStatus live : {ProcessStatus::idle, ProcessStatus::busy, ProcessStatus::stopping}) {
      EXPECT_FALSE(may_follow(ended, live)) << to_string(ended) << " to " << to_string(live);
    }
    EXPECT_TRUE(may_follow(ended, ProcessStatus::initializing));
  }
}

TEST(ProcessTransitions, NoStatusChangesToItself) {
  for (std::uint8_t status = 0; status < 7; ++status) {
    EXPECT_FALSE(may_follow(ProcessStatus{status}, ProcessStatus{status}));
  }
}

}  // namespace
}  // namespace tenon::runtime
