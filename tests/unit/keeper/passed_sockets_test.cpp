// Listening sockets that go from hand to hand: to a process that is spawned, and to the host by whoever started it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/inherited_sockets.hpp"
#include "keeper/listeners.hpp"
#include "unit/keeper/spawned_output.hpp"

namespace tenon::keeper {
namespace {

using testing::HasSubstr;

ListenSpec loopback(std::uint16_t port = 0) {
  ListenSpec spec;
  spec.name = "test";
  spec.family = ListenFamily::tcp;
  spec.address = "127.0.0.1";
  spec.port = port;
  return spec;
}

// What a child says that is given `sockets`, and a channel if it is to have one.
std::string output_of(const std::string& script, const std::vector<std::string>& names, const std::vector<int>& sockets,
                      ChannelKind channel = ChannelKind::none) {
  SpawnSpec spec;
  spec.channel = channel;
  for (const std::string& name : names) spec.sockets.push_back({name, {}});
  return test::spawned_output(std::move(spec), script, sockets);
}

TEST(PassedSockets, ComeAsSdListenFdsHasThem) {
  auto one = Listener::open(loopback()), two = Listener::open(loopback());
  const std::string said = output_of(
      "[ $LISTEN_PID = $$ ] && echo mine; echo $LISTEN_FDS $LISTEN_FDNAMES; readlink /proc/self/fd/3 /proc/self/fd/4",
      {"web", "admin"}, {(*one)->fd(), (*two)->fd()});
  EXPECT_THAT(said, HasSubstr("mine\n2 web:admin\n"));
  for (const auto& listener : {&one, &two}) {
    char link[64] = {};
    const std::string path = "/proc/self/fd/" + std::to_string((**listener)->fd());
    ASSERT_GT(::readlink(path.c_str(), link, sizeof link - 1), 0);
    EXPECT_THAT(said, HasSubstr(link)) << "the very same socket";
  }
}

TEST(PassedSockets, StandBeforeTheChannel) {
  auto one = Listener::open(loopback());
  EXPECT_EQ(output_of("[ -S /proc/self/fd/4 ] && [ ! -S /proc/self/fd/5 ] && echo channel", {"web"}, {(*one)->fd()},
                      ChannelKind::socket),
            "channel\n");
  EXPECT_EQ(channel_descriptor(1), 4);
}

TEST(PassedSockets, AreThereOnlyForWhoWasGivenSome) {
  EXPECT_EQ(output_of("echo \"<$LISTEN_FDS$LISTEN_PID>\"; [ -S /proc/self/fd/3 ] || echo none", {}, {}), "<>\nnone\n");
}

TEST(PassedSockets, MayBeAsManyAsFit) {
  auto one = Listener::open(loopback());
  const std::vector<std::string> names(kMaxPassedSockets, "x");
  const std::vector<int> sockets(kMaxPassedSockets, (*one)->fd());
  EXPECT_EQ(output_of("echo $LISTEN_FDS; [ -S /proc/self/fd/18 ] && [ -S /proc/self/fd/19 ] && echo all", names, sockets,
                      ChannelKind::socket),
            "16\nall\n");
  EXPECT_THAT(output_of("true", std::vector<std::string>(17, "x"), sockets), HasSubstr("16 sockets at most"));
}

// In a child of its own: the numbers from 3 on and the environment are the process's.
template <class Body>
void in_a_child(Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

#define TENON_CHECK(condition) \
  if (!(condition)) return __LINE__ & 0xff

void be_given(const std::vector<int>& sockets, const char* names, pid_t pid) {
  for (std::size_t i = 0; i < sockets.size(); ++i) ::dup2(sockets[i], 3 + static_cast<int>(i));
  ::setenv("LISTEN_PID", std::to_string(pid).c_str(), 1);
  ::setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
  if (names) ::setenv("LISTEN_FDNAMES", names, 1);
}

unique_fd high(int fd) { return unique_fd(::fcntl(fd, F_DUPFD_CLOEXEC, 100)); }

TEST(InheritedSocketsTest, AreTakenByAddressAndByName) {
  in_a_child([] {
    auto web = Listener::open(loopback()), admin = Listener::open(loopback());
    const unique_fd a = high((*web)->fd()), b = high((*admin)->fd());
    be_given({a.get(), b.get()}, "web:admin", ::getpid());
    Listeners listeners(InheritedSockets::take());
    TENON_CHECK(::getenv("LISTEN_FDS") == nullptr && ::getenv("LISTEN_PID") == nullptr);
    // Bound already: without what was passed, this address could not be had.
    TENON_CHECK(!Listener::open(loopback((*web)->port())).ok());
    auto by_address = listeners.open(loopback((*web)->port()));
    TENON_CHECK(by_address.ok() && (*by_address)->port() == (*web)->port());
    ListenSpec named;
    named.name = "other", named.inherit = "admin";
    auto by_name = listeners.open(named);
    TENON_CHECK(by_name.ok() && (*by_name)->port() == (*admin)->port());
    named.name = "third", named.inherit = "mail";
    auto missing = listeners.open(named);
    TENON_CHECK(missing.error().message.find("passed were: web 127.0.0.1:") != std::string::npos);
    // Given back when it is closed: the next one of that address finds it again.
    listeners.close("test");
    TENON_CHECK(listeners.open(loopback((*web)->port())).ok());
    return 0;
  });
}

TEST(InheritedSocketsTest, MeantForAnotherProcessAreLeftAlone) {
  in_a_child([] {
    auto web = Listener::open(loopback());
    const unique_fd a = high((*web)->fd());
    be_given({a.get()}, nullptr, ::getpid() + 1);
    TENON_CHECK(InheritedSockets::take().empty());
    TENON_CHECK(::getenv("LISTEN_FDS") == nullptr);
    return 0;
  });
}

TEST(InheritedSocketsTest, ThatDoNotListenAreNotTaken) {
  in_a_child([] {
    const unique_fd bound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const unique_fd a = high(bound.get());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TENON_CHECK(::bind(a.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    TENON_CHECK(::getsockname(a.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    be_given({a.get()}, nullptr, ::getpid());
    const InheritedSockets taken = InheritedSockets::take();
    TENON_CHECK(!taken.empty());
    TENON_CHECK(!taken.find(loopback(ntohs(address.sin_port))).valid());
    return 0;
  });
}

}  // namespace
}  // namespace tenon::keeper
