#include "keeper/notify_socket.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tenon::keeper {
namespace {

class NotifySocketTest : public testing::Test {
 protected:
  NotifySocketTest() : made(std::move(make_notify_socket().value())) {}
  void say(std::string_view text) const {
    const unique_fd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    made.name.copy(address.sun_path + 1, made.name.size() - 1, 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + made.name.size());
    (void)::sendto(sender.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&address), size);
  }
  std::optional<pid_t> waiting(uid_t user = ::geteuid()) const { return waiting_main_pid(made.socket.get(), 1, user); }
  std::string next() const {
    char text[64] = {};
    const ssize_t size = ::recv(made.socket.get(), text, sizeof text, MSG_DONTWAIT);
    return {text, static_cast<std::size_t>(size > 0 ? size : 0)};
  }

  NotifySocket made;
};

TEST_F(NotifySocketTest, TellsTheLastMainPidAndLeavesAllForTheirReader) {
  EXPECT_EQ(waiting(), std::nullopt);
  say("READY=1\nMAINPID=11\nSTATUS=a");
  say("MAINPID=12");
  say("STATUS=b");
  EXPECT_EQ(waiting(), 12);
  EXPECT_EQ(next(), "READY=1\nMAINPID=11\nSTATUS=a");
  EXPECT_EQ(waiting(), 12) << "of what is left";
  EXPECT_EQ(next(), "MAINPID=12");
  EXPECT_EQ(waiting(), std::nullopt);
  EXPECT_EQ(next(), "STATUS=b");
}

TEST_F(NotifySocketTest, TakesNoOtherValues) {
  for (const char* text : {"MAINPID=", "MAINPID=1", "MAINPID=-3", "MAINPID=99999999", "MAINPID=12x", "XMAINPID=12"}) say(text);
  EXPECT_EQ(waiting(), std::nullopt);
}

TEST_F(NotifySocketTest, TakesNoWordOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  const pid_t other = ::fork();
  if (other == 0) {
    if (::setresuid(54321, 54321, 54321) == 0) say("MAINPID=12");
    ::_exit(0);
  }
  ::waitpid(other, nullptr, 0);
  EXPECT_EQ(waiting(12345), std::nullopt);
  EXPECT_EQ(waiting(54321), 12) << "of its own user it is";
}

}  // namespace
}  // namespace tenon::keeper
