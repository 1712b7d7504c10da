// Messages by sd_notify(3) over a real socket: whose are heard, and whom they concern.
#include "integration/notify_hub.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper/notify_socket.hpp"
#include "unit/integration/hub_fixture.hpp"
#include "unit/runtime/fakes.hpp"

namespace tenon::integration {
namespace {

using namespace std::chrono_literals;
using runtime::ProcessStatus;

class NotifyHubTest : public HubTest {
 protected:
  NotifyHubTest()
      : manager({loop, keeper, policies, checks, *hub, observer}),
        notify(loop, manager, *hub, [this](const std::string& id, std::uint64_t generation, pid_t pid) {
          named.push_back(id + "#" + std::to_string(generation) + " " + std::to_string(pid));
        }) {
    keeper.manager = &manager;
    auto config = runtime::test::process("w");
    config->ready = {runtime::ReadyOn::notify, 10s};
    EXPECT_TRUE(manager.add(config, "root").ok());
    manager.start("w", {});
    loop.run_posted();
    EXPECT_TRUE(hub->add("w", "w", {}).ok());
    EXPECT_TRUE(hub->start("w", 1, {}).ok());
  }
  void attach(uid_t user, pid_t pid = 1) {
    auto made = keeper::make_notify_socket();
    ASSERT_TRUE(made.ok());
    name = made->name;
    ASSERT_TRUE(notify.attach("w", 1, std::move(made->socket), pid, user).ok());
  }
  void say(std::string_view text, int with = -1) {
    unique_fd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + 1, name.size() - 1, 1);
    iovec part{const_cast<char*>(text.data()), text.size()};
    msghdr header{};
    header.msg_name = &address;
    header.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> ancillary{};
    if (with >= 0) {
      header.msg_control = ancillary.data();
      header.msg_controllen = ancillary.size();
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(rights), &with, sizeof with);
    }
    ASSERT_EQ(::sendmsg(sender.get(), &header, 0), static_cast<ssize_t>(text.size()));
  }
  // What has been said is heard at the latest at the process's end.
  void end() { notify.detach("w", 1); }

  runtime::test::FakeKeeper keeper{loop};
  runtime::test::FakePolicies policies;
  runtime::test::FakeChecks checks;
  runtime::test::RecordingObserver observer;
  runtime::ProcessManager manager;
  std::vector<std::string> named;  // main processes
  NotifyHub notify;
  std::string name;
};

TEST_F(NotifyHubTest, TellsTheRuntimeAndTheWatchdog) {
  attach(::geteuid());
  say("READY=1\nSTATUS=serving");
  end();
  EXPECT_EQ(manager.status("w"), ProcessStatus::idle);
  EXPECT_EQ(manager.find("w")->worker_status, "serving");
  EXPECT_NE(hub->last_control("w", NotifyHub::kWatchdog), MonotonicTime{});
  EXPECT_EQ(hub->last_control("w", NotifyHub::kWatchdogTrigger), MonotonicTime{});
}

TEST_F(NotifyHubTest, PassesOnWhichProcessGoesOnAsThisOne) {
  attach(::geteuid());
  say("READY=1\nMAINPID=4711");
  say("MAINPID=1");
  end();
  EXPECT_EQ(named, std::vector<std::string>{"w#1 4711"});
}

TEST_F(NotifyHubTest, HearsRootAndTheHostsOwnUserToo) {
  attach(12345);
  say("READY=1");
  end();
  EXPECT_EQ(manager.status("w"), ProcessStatus::idle);
}

TEST_F(NotifyHubTest, DoesNotHearAnybodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  attach(12345);
  const pid_t other = ::fork();
  if (other == 0) {
    if (::setresuid(54321, 54321, 54321) == 0) say("READY=1");
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  end();
  EXPECT_EQ(manager.status("w"), ProcessStatus::initializing);
}

TEST_F(NotifyHubTest, HearsTheProcessItselfWhoeverItHasBecome) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t process = ::fork();
  if (process == 0) {
    char go = 0;
    if (::setresuid(54321, 54321, 54321) == 0 && ::read(ends[0], &go, 1) == 1) {
      name.assign(64, 0);
      name.resize(static_cast<std::size_t>(::read(ends[0], name.data(), 64)));
      say("READY=1");
    }
    ::_exit(0);
  }
  attach(12345, process);
  ASSERT_EQ(::write(ends[1], "!", 1), 1);
  ASSERT_EQ(::write(ends[1], name.data(), name.size()), static_cast<ssize_t>(name.size()));
  int status = 0;
  ASSERT_EQ(::waitpid(process, &status, 0), process);
  end();
  EXPECT_EQ(manager.status("w"), ProcessStatus::idle);
  ::close(ends[0]), ::close(ends[1]);
}

TEST_F(NotifyHubTest, ClosesDescriptorsThatComeAlong) {
  attach(::geteuid());
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  say("BARRIER=1", ends[1]);
  ::close(ends[1]);
  end();
  pollfd closed{ends[0], POLLIN, 0};
  EXPECT_EQ(::poll(&closed, 1, 0), 1) << "sd_notify_barrier waits for the other end's closing";
  EXPECT_NE(closed.revents & POLLHUP, 0);
  ::close(ends[0]);
}

TEST_F(NotifyHubTest, LeavesOutWhatIsTooLong) {
  attach(::geteuid());
  say("READY=1\nSTATUS=" + std::string(NotifyMessage::kMaxBytes, 'x'));
  end();
  EXPECT_EQ(manager.status("w"), ProcessStatus::initializing);
}

TEST_F(NotifyHubTest, TakesAFinalZero) {
  attach(::geteuid());
  say(std::string_view("READY=1\0", 8));
  end();
  EXPECT_EQ(manager.status("w"), ProcessStatus::idle);
}

TEST_F(NotifyHubTest, IgnoresTheEndOfAnEarlierIncarnation) {
  attach(::geteuid());
  say("READY=1");
  notify.detach("w", 0);
  EXPECT_EQ(manager.status("w"), ProcessStatus::initializing);
  end();
  EXPECT_EQ(manager.status("w"), ProcessStatus::idle);
}

}  // namespace
}  // namespace tenon::integration
