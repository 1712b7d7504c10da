#include "keeper/crash_blame.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tenon::keeper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int32_t kLoop = 100, kWorker = 101, kHelper = 102;

// The loop is inside a serializer, a worker thread inside a transport.
CrashTrail two_calls() {
  CrashTrail trail;
  trail.calls.push_back({"json.so", "serializer/json", "read_event", "", "echo.1", 0, kLoop});
  trail.calls.push_back({"nats.so", "transport/nats", "work", "", "bus", 3, kWorker});
  return trail;
}

std::vector<std::string> files(const Blame& blame) {
  std::vector<std::string> found;
  for (const Breadcrumb& suspect : blame.suspects) found.push_back(suspect.file);
  return found;
}

ExitStatus died_of(int signal_number) { return {0, signal_number, false}; }

TEST(CrashBlame, FallsOnWhomTheDyingThreadWasCalling) {
  CrashTrail trail = two_calls();
  trail.crashed_thread = kWorker;
  const Blame blame = blame_for(trail, died_of(SIGSEGV), false);
  EXPECT_THAT(files(blame), ElementsAre("nats.so"));
  EXPECT_TRUE(blame.certain);
}

TEST(CrashBlame, FallsOnNobodyWhenTheDyingThreadWasInNoPlugin) {
  CrashTrail trail = two_calls();
  trail.crashed_thread = kHelper;
  EXPECT_THAT(blame_for(trail, died_of(SIGABRT), false).suspects, IsEmpty());
}

TEST(CrashBlame, OfAHangFallsOnTheLoopsCallOnlyWhicheverThreadTookTheSignal) {
  CrashTrail trail = two_calls();
  trail.from_outside = true;  // the keeper's SIGABRT
  EXPECT_THAT(files(blame_for(trail, died_of(SIGABRT), true)), ElementsAre("json.so"));
  EXPECT_THAT(files(blame_for(trail, died_of(SIGKILL), true)), ElementsAre("json.so"));
}

TEST(CrashBlame, OfAHangOfTheHostItselfFallsOnNobody) {
  CrashTrail trail = two_calls();
  trail.calls.erase(trail.calls.begin());
  EXPECT_THAT(blame_for(trail, died_of(SIGABRT), true).suspects, IsEmpty());
}

TEST(CrashBlame, OfASignalFromOutsideFallsOnNobody) {
  for (const int signal_number : {SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT})
    EXPECT_THAT(blame_for(two_calls(), died_of(signal_number), false).suspects, IsEmpty()) << signal_number;
  CrashTrail sent = two_calls();
  sent.from_outside = true;
  EXPECT_THAT(blame_for(sent, died_of(SIGSEGV), false).suspects, IsEmpty());
}

TEST(CrashBlame, IsCertainOnlyOfOneWhenNobodyCouldSay) {
  const Blame shared = blame_for(two_calls(), ExitStatus{3, 0, false}, false);
  EXPECT_THAT(files(shared), ElementsAre("json.so", "nats.so"));
  EXPECT_FALSE(shared.certain);
  CrashTrail one = two_calls();
  one.calls.pop_back();
  EXPECT_TRUE(blame_for(one, ExitStatus{3, 0, false}, false).certain);
}

}  // namespace
}  // namespace tenon::keeper
