#include "integration/notify_message.hpp"

#include <gtest/gtest.h>

namespace tenon::integration {
namespace {

using namespace std::chrono_literals;

TEST(NotifyMessage, SaysSeveralThingsAtOnce) {
  const NotifyMessage message = parse_notify_message("READY=1\nSTATUS=serving 3 of 4\nMAINPID=4711\nWATCHDOG=1\n");
  EXPECT_TRUE(message.ready);
  EXPECT_EQ(message.status, "serving 3 of 4");
  EXPECT_EQ(message.main_pid, 4711);
  EXPECT_EQ(message.watchdog, WatchdogWord::alive);
  EXPECT_FALSE(message.stopping || message.reloading || message.extend);
}

TEST(NotifyMessage, HasEveryWordOfTheProtocolThatWeKnow) {
  EXPECT_TRUE(parse_notify_message("RELOADING=1").reloading);
  EXPECT_TRUE(parse_notify_message("STOPPING=1").stopping);
  EXPECT_EQ(parse_notify_message("WATCHDOG=trigger").watchdog, WatchdogWord::trigger);
  EXPECT_EQ(parse_notify_message("EXTEND_TIMEOUT_USEC=1500000").extend, 1500ms);
  EXPECT_EQ(parse_notify_message("STATUS=").status, "");
  EXPECT_EQ(parse_notify_message("STATUS=a=b").status, "a=b");
}

TEST(NotifyMessage, LeavesOutWhatItDoesNotKnow) {
  EXPECT_EQ(parse_notify_message(""), NotifyMessage{});
  EXPECT_EQ(parse_notify_message("FDSTORE=1\nX_OWN=7\nno sign of equality\n=1\n\n"), NotifyMessage{});
}

TEST(NotifyMessage, LeavesOutValuesThatMakeNoSense) {
  for (const char* text : {"READY=0", "READY=yes", "READY", " READY=1", "ready=1", "WATCHDOG=0", "MAINPID=0", "MAINPID=1",
                           "MAINPID=-5", "MAINPID=99999999999", "MAINPID=12x", "MAINPID=", "EXTEND_TIMEOUT_USEC=0",
                           "EXTEND_TIMEOUT_USEC=-1", "EXTEND_TIMEOUT_USEC=1.5", "STATUS=\xff\xfe"})
    EXPECT_EQ(parse_notify_message(text), NotifyMessage{}) << text;
}

TEST(NotifyMessage, BoundsAnExtension) {
  EXPECT_EQ(parse_notify_message("EXTEND_TIMEOUT_USEC=18446744073709551615").extend, kMaxExtend);
}

TEST(NotifyMessage, TakesTheLastOfAName) {
  EXPECT_EQ(parse_notify_message("STATUS=a\nSTATUS=b").status, "b");
  EXPECT_FALSE(parse_notify_message("READY=1\nREADY=0").ready);
}

}  // namespace
}  // namespace tenon::integration
