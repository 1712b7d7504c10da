#include "keeper/listeners.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/system.hpp"
#include "keeper/poller.hpp"
#include "keeper/unavailable_server.hpp"

namespace tenon::keeper {
namespace {

using testing::HasSubstr;

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

unique_fd connect_to(const std::string& path) {
  unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return unique_fd();
  return fd;
}

class ListenerTest : public testing::Test {
 protected:
  ListenerTest() {
    directory_ = testing::TempDir() + "listener_test_XXXXXX";
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
  }
  ~ListenerTest() override {
    ::rmdir((directory_ + "/run").c_str());
    ::rmdir(directory_.c_str());
  }
  ListenSpec spec(const std::string& file = "/run/tenon.sock") const {
    ListenSpec spec;
    spec.name = "control";
    spec.address = directory_ + file;
    return spec;
  }
  std::string directory_;
};

TEST_F(ListenerTest, MakesItsDirectoryAndAPrivateSocketAndRemovesTheSocketAtTheEnd) {
  {
    auto listener = Listener::open(spec());
    ASSERT_TRUE(listener.ok()) << listener.error().message;
    struct stat info {};
    ASSERT_EQ(::stat((directory_ + "/run").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
    ASSERT_EQ(::stat(spec().address.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_TRUE(connect_to(spec().address).valid());
  }
  EXPECT_FALSE(exists(spec().address));
  EXPECT_FALSE(exists(spec().address + ".lock"));
}

TEST_F(ListenerTest, RefusesASecondHostByPathAndPid) {
  auto first = Listener::open(spec());
  ASSERT_TRUE(first.ok());
  auto second = Listener::open(spec());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, errc::already_exists);
  EXPECT_EQ(second.error().message, "another host is running on " + spec().address + " (pid " +
                                        std::to_string(::getpid()) + "); stop it or choose another --socket");
  EXPECT_TRUE(connect_to(spec().address).valid()) << "the first is unharmed";
}

TEST_F(ListenerTest, ReplacesTheSocketThatAKilledHostLeftBehind) {
  ASSERT_EQ(::mkdir((directory_ + "/run").c_str(), 0700), 0);
  const unique_fd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  spec().address.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  auto listener = Listener::open(spec());
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  EXPECT_TRUE(connect_to(spec().address).valid());
}

TEST_F(ListenerTest, LeavesAFileAloneThatIsNoSocket) {
  ASSERT_TRUE(write_file_atomically(directory_ + "/precious", "data").ok());
  auto listener = Listener::open(spec("/precious"));
  ASSERT_FALSE(listener.ok());
  EXPECT_THAT(listener.error().message, HasSubstr("exists and is not a socket"));
  EXPECT_TRUE(exists(directory_ + "/precious"));
  ::unlink((directory_ + "/precious").c_str());
}

TEST_F(ListenerTest, RefusesAPathThatTheKernelCannotTake) {
  auto listener = Listener::open(spec("/" + std::string(200, 'x')));
  ASSERT_FALSE(listener.ok());
  EXPECT_EQ(listener.error().code, errc::invalid_argument);
  EXPECT_THAT(listener.error().message, HasSubstr("107"));
}

TEST_F(ListenerTest, NamesAddressAndPortThatAreTaken) {
  ListenSpec tcp;
  tcp.name = "http";
  tcp.family = ListenFamily::tcp;
  tcp.address = "127.0.0.1";
  auto first = Listener::open(tcp);
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_NE((*first)->port(), 0);
  tcp.port = (*first)->port();
  auto second = Listener::open(tcp);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr("another program listens on 127.0.0.1:" + std::to_string(tcp.port)));
}

TEST_F(ListenerTest, RefusesAnAddressThatIsNone) {
  ListenSpec tcp;
  tcp.family = ListenFamily::tcp;
  tcp.address = "localhost";
  EXPECT_EQ(Listener::open(tcp).error().code, errc::invalid_argument);
}

TEST_F(ListenerTest, TakesDatagramsToo) {
  ListenSpec datagrams = spec("/run/datagrams.sock");
  datagrams.family = ListenFamily::unix_datagram;
  EXPECT_TRUE(Listener::open(datagrams).ok());
  ListenSpec udp;
  udp.family = ListenFamily::udp;
  udp.address = "127.0.0.1";
  auto first = Listener::open(udp);
  ASSERT_TRUE(first.ok()) << first.error().message;
  udp.port = (*first)->port();
  EXPECT_THAT(Listener::open(udp).error().message, HasSubstr("ss -lunp"));
}

TEST_F(ListenerTest, WaitsWhereItIsAskedTo) {
  ListenSpec waits = spec();
  waits.blocking = true;
  EXPECT_EQ(::fcntl((*Listener::open(waits))->fd(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl((*Listener::open(spec()))->fd(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(ListenerTest, SaysWhichSettingToChange) {
  ListenSpec one = spec("/" + std::string(200, 'x'));
  one.setting = "sockets of web";
  EXPECT_THAT(Listener::open(one).error().message, HasSubstr("choose a shorter sockets of web"));
  one.inherit = "web";
  EXPECT_THAT(Listener::open(one).error().message,
              HasSubstr("no socket of the name web was passed to the host (LISTEN_FDNAMES; passed were: none)"));
}

class Reopened : public ListenerTest {
 protected:
  // The socket itself, whoever holds it.
  static ino_t socket_of(const Listener& listener) {
    struct stat info {};
    EXPECT_EQ(::fstat(listener.fd(), &info), 0);
    return info.st_ino;
  }
  const Listener& reopened(const ListenSpec& wanted) {
    auto opened = listeners.reopen(wanted);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return **opened;
  }
  mode_t mode_of(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 0777;
  }

  Listeners listeners;
};

TEST_F(Reopened, IsTheSameSocketUnderOtherTerms) {
  ListenSpec terms = spec("/run/a.sock");
  const ino_t first = socket_of(reopened(terms));
  terms.backlog = 7, terms.mode = 0666, terms.blocking = true;
  EXPECT_EQ(socket_of(reopened(terms)), first);
  EXPECT_EQ(mode_of(terms.address), 0666u);
  terms.name = "renamed";
  EXPECT_EQ(socket_of(reopened(terms)), first) << "a place that goes to another keeps its clients";
  EXPECT_EQ(listeners.names(), std::vector<std::string>{"renamed"});
}

TEST_F(Reopened, AtAnotherPlaceItIsAnotherAndTheFormerGoes) {
  reopened(spec("/run/a.sock"));
  reopened(spec("/run/b.sock"));
  EXPECT_NE(::access(spec("/run/a.sock").address.c_str(), F_OK), 0);
  EXPECT_EQ(listeners.names().size(), 1u);
}

TEST_F(Reopened, WhatCannotBeOpenedCostsNothingThatIsOpen) {
  const ino_t first = socket_of(reopened(spec("/run/a.sock")));
  EXPECT_FALSE(listeners.reopen(spec("/" + std::string(200, 'x'))).ok());
  EXPECT_EQ(socket_of(reopened(spec("/run/a.sock"))), first);
}

TEST_F(Reopened, ThePortThatTheKernelChoseIsEachOnesOwn) {
  ListenSpec one;
  one.name = "one", one.family = ListenFamily::tcp, one.address = "127.0.0.1";
  const std::uint16_t port = reopened(one).port();
  EXPECT_EQ(reopened(one).port(), port);
  ListenSpec two = one;
  two.name = "two";
  EXPECT_NE(reopened(two).port(), port);
}

TEST_F(ListenerTest, BelongsToWhomItIsGiven) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  ListenSpec given = spec();
  given.uid = 12345;
  auto listener = Listener::open(given);
  ASSERT_TRUE(listener.ok());
  struct stat info {};
  ASSERT_EQ(::stat(given.address.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 12345u);
}

TEST_F(ListenerTest, AnswersTheSameQuestionWithTheSameListener) {
  Listeners listeners;
  auto first = listeners.open(spec());
  ASSERT_TRUE(first.ok());
  auto again = listeners.open(spec());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*first, *again);
  auto other = spec();
  other.http = true;
  EXPECT_EQ(listeners.open(other).error().code, errc::already_exists);
}

TEST_F(ListenerTest, AnswersServiceUnavailableToMoreClientsThanItHolds) {
  Listeners listeners;
  auto http = spec();
  http.http = true;
  ASSERT_TRUE(listeners.open(http).ok());
  auto poller = Poller::make();
  ASSERT_TRUE(poller.ok());
  UnavailableServer server(*poller);
  server.start(listeners);
  std::vector<unique_fd> clients;
  for (std::size_t i = 0; i < UnavailableServer::kMaxClients + 20; ++i) clients.push_back(connect_to(http.address));
  ASSERT_TRUE(write_all(clients.back().get(), "GET / HTTP/1.1\r\n\r\n", "client").ok());
  ::shutdown(clients.back().get(), SHUT_WR);

  std::string answer;
  const MonotonicTime now = SystemClock().monotonic();
  char buffer[4096];
  for (ssize_t size = 1; size > 0;) {
    for (const auto& event : poller->wait(now, now + std::chrono::seconds(5))) {
      if (event.what == Watched::listener) server.on_listener(event.fd, now);
      if (event.what == Watched::client) server.on_client(event.fd);
    }
    size = ::recv(clients.back().get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) size = 1;
    else if (size > 0) answer.append(buffer, static_cast<std::size_t>(size));
  }
  EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(answer, HasSubstr("application/problem+json"));
  EXPECT_EQ(server.next_deadline(), now + UnavailableServer::kPatience);
  server.expire(now + UnavailableServer::kPatience);
  EXPECT_FALSE(server.next_deadline().has_value());
  server.stop();
}

TEST_F(ListenerTest, IsAnsweredByTheEngineAloneOnceTheServerForgotIt) {
  auto poller = Poller::make();
  ASSERT_TRUE(poller.ok());
  Listeners listeners;
  auto http = spec();
  http.http = true;
  const auto listener = listeners.open(http);
  ASSERT_TRUE(listener.ok());
  UnavailableServer server(*poller);
  server.start(listeners);
  const unique_fd duplicate((*listener)->duplicate());  // the engine's: it keeps the socket in epoll
  const unique_fd client = connect_to(http.address);
  server.forget((*listener)->fd());
  listeners.close(http.name);
  // Had the socket stayed in epoll, its events would come under a number that means something else by now.
  const MonotonicTime now = SystemClock().monotonic();
  EXPECT_TRUE(poller->wait(now, now).empty());
}

}  // namespace
}  // namespace tenon::keeper
