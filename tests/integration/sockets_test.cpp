// Listening sockets that outlive the processes they are passed to, and those that the host itself was passed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/system.hpp"
#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A client of a unix socket. It does not wait to be accepted: the kernel takes it into the queue, or refuses it.
class Client {
 public:
  explicit Client(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  // All that is said to it until it is hung up on.
  std::string answer() {
    timeval patience{60, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    auto text = read_all(socket_.get(), 4096, "client");
    return text.ok() ? *text : text.error().message;
  }

 private:
  unique_fd socket_;
  bool connected_ = false;
};

class Sockets : public testing::Test {
 protected:
  // One child "web"; `more` are further keys of it.
  static std::string web(const std::string& more = "", const std::string& arguments = "") {
    return R"({ "supervision": { "intensity": { "restarts": 1000, "period": "1s" }, "children": [ { "id": "web",
      "command": ["python3", "${WORKERS}/listener.py")" + arguments + R"(],
      "restart": { "config": { "initial": "200ms", "factor": 1 } },
      "sockets": [ { "path": "${TEST}/web.sock" } ])" + more + " } ] } }";
  }
  void run(const std::string& config, HostProcess::Options options = {}) {
    host_.emplace(config, std::move(options));
    ASSERT_TRUE(host_->start()) << host_->log();
  }
  std::string answer() { return Client(host_->path("web.sock")).answer(); }
  std::string answer_of(pid_t pid, const std::string& id = "web") { return "web " + id + " " + std::to_string(pid) + "\n"; }
  bool refuses() {
    return wait_until([&] { return !Client(host_->path("web.sock")).connected(); });
  }

  std::optional<HostProcess> host_;
};

TEST_F(Sockets, DropNoClientWhileTheirProcessRestarts) {
  ASSERT_NO_FATAL_FAILURE(run(web()));
  pid_t before = host_->worker_pid("web");
  EXPECT_EQ(answer(), answer_of(before));
  for (int round = 0; round < 5; ++round) {
    ::kill(before, SIGKILL);
    ASSERT_TRUE(wait_until([&] { return !is_alive(before); }));
    Client client(host_->path("web.sock"));  // nobody is there to accept it for a while
    ASSERT_TRUE(client.connected());
    const std::string said = client.answer();
    ASSERT_THAT(said, StartsWith("web web "));
    EXPECT_NE(said, answer_of(before));
    before = host_->worker_pid("web");
    EXPECT_EQ(said, answer_of(before));
  }
}

TEST_F(Sockets, OutliveTheEngine) {
  ASSERT_NO_FATAL_FAILURE(run(web()));
  const pid_t first = host_->worker_pid("web");
  ::kill(host_->engine_pid(), SIGKILL);
  EXPECT_EQ(answer(), answer_of(first));
  ASSERT_TRUE(host_->wait_for_engine_restart(1)) << host_->log();
  ::kill(first, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return !is_alive(first); }));
  EXPECT_THAT(answer(), StartsWith("web web "));
  EXPECT_EQ(host_->cli({"stop", "web"}).exit_code, 0);
  EXPECT_TRUE(refuses()) << "the new engine knows of it";
}

TEST_F(Sockets, AreSharedByReplicas) {
  ASSERT_NO_FATAL_FAILURE(run(web(R"(, "replicas": 2)")));
  const pid_t first = host_->worker_pid("web.1"), second = host_->worker_pid("web.2");
  ::kill(first, SIGSTOP);
  EXPECT_EQ(answer(), answer_of(second, "web.2"));
  ::kill(first, SIGCONT);
  ::kill(second, SIGSTOP);
  EXPECT_EQ(answer(), answer_of(first, "web.1"));
  ::kill(second, SIGCONT);
  EXPECT_EQ(host_->cli({"stop", "web.1"}).exit_code, 0);
  EXPECT_EQ(answer(), answer_of(second, "web.2"));
  EXPECT_EQ(host_->cli({"stop", "web.2"}).exit_code, 0);
  EXPECT_TRUE(refuses());
}

TEST_F(Sockets, AreClosedByAStopAndKeptByARestart) {
  ASSERT_NO_FATAL_FAILURE(run(web()));
  EXPECT_EQ(host_->cli({"stop", "web"}).exit_code, 0);
  EXPECT_TRUE(refuses()) << "nobody is going to answer";
  EXPECT_EQ(host_->cli({"start", "web"}).exit_code, 0);
  EXPECT_THAT(answer(), StartsWith("web web "));
  // From before the restart until after it: one socket.
  const pid_t before = host_->worker_pid("web");
  ::kill(before, SIGSTOP);
  Client client(host_->path("web.sock"));
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(host_->cli({"kill", "--signal", "KILL", "web"}).exit_code, 0);
  EXPECT_NE(client.answer(), answer_of(before));
}

TEST_F(Sockets, OfAChangedProcessAreKeptAndThoseOfARemovedOneClosed) {
  ASSERT_NO_FATAL_FAILURE(run(web(R"(, "env": { "ROUND": "1" })")));
  const pid_t before = host_->worker_pid("web");
  ::kill(before, SIGSTOP);
  Client client(host_->path("web.sock"));  // stays in the queue until the changed one runs
  write_text(host_->config_path(), web(R"(, "env": { "ROUND": "2" }, "stop": { "grace": "0s", "drain": "0s" })"));
  EXPECT_EQ(host_->cli({"reload"}).exit_code, 0);
  const std::string said = client.answer();
  EXPECT_NE(said, answer_of(before));
  EXPECT_EQ(said, answer_of(host_->worker_pid("web")));
  write_text(host_->config_path(), R"({ "supervision": { "children": [ { "id": "x", "command": ["sleep", "1000"] } ] } })");
  EXPECT_EQ(host_->cli({"reload"}).exit_code, 0);
  EXPECT_TRUE(refuses());
}

TEST_F(Sockets, GoOnUnderOtherTermsAndAtAnotherChild) {
  ASSERT_NO_FATAL_FAILURE(run(web(R"(, "replicas": 2)")));
  const auto renamed = [this](const char* id, int backlog) {
    return R"({ "supervision": { "children": [ { "id": ")" + std::string(id) + R"(", "replicas": 2,
      "command": ["python3", "${WORKERS}/listener.py"], "stop": { "grace": "0s", "drain": "0s" },
      "sockets": [ { "name": "web", "path": "${TEST}/web.sock", "backlog": )" + std::to_string(backlog) + " } ] } ] } }";
  };
  ASSERT_EQ(host_->cli({"pause", "web.1"}).exit_code, 0);  // it holds the socket through all that follows
  write_text(host_->config_path(), renamed("web", 16));
  EXPECT_EQ(host_->cli({"reload"}).exit_code, 0);
  EXPECT_THAT(answer(), StartsWith("web web.2 "));
  const pid_t second = host_->worker_pid("web.2");
  ::kill(second, SIGSTOP);
  Client client(host_->path("web.sock"));  // in the queue of the one, and answered by the other
  write_text(host_->config_path(), renamed("site", 16));
  EXPECT_EQ(host_->cli({"reload"}).exit_code, 0);
  EXPECT_THAT(client.answer(), StartsWith("web site."));
}

TEST_F(Sockets, OfDatagramsAreHeldToo) {
  ASSERT_NO_FATAL_FAILURE(run(R"({ "supervision": { "children": [ { "id": "web",
    "command": ["python3", "${WORKERS}/listener.py"], "restart": { "config": { "initial": "1ms", "max": "1ms" } },
    "sockets": [ { "path": "${TEST}/web.sock", "type": "datagram" } ] } ] } })"));
  const pid_t before = host_->worker_pid("web");
  ::kill(before, SIGSTOP);
  const unique_fd client(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto at = [&](const char* name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    host_->path(name).copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  };
  const sockaddr_un own = at("client.sock"), server = at("web.sock");
  ASSERT_EQ(::bind(client.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
  ASSERT_EQ(::sendto(client.get(), "?", 1, 0, reinterpret_cast<const sockaddr*>(&server), sizeof server), 1);
  ::kill(before, SIGKILL);
  timeval patience{60, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char text[64] = {};
  ASSERT_GT(::recv(client.get(), text, sizeof text - 1, 0), 0);
  EXPECT_THAT(text, StartsWith("web web "));
  EXPECT_NE(text, answer_of(before));
}

TEST_F(Sockets, ThatCannotBeOpenedAreTheErrorOfTheirProcessAlone) {
  host_.emplace(R"({ "supervision": { "children": [
    { "id": "web", "command": ["python3", "${WORKERS}/listener.py"], "sockets": [ { "path": "${TEST}/web.sock" } ],
      "restart": { "policy": "never" } },
    { "id": "other", "command": ["sleep", "1000"] } ] } })");
  write_text(host_->path("web.sock"), "a file that is in the way");
  host_->launch();
  ASSERT_TRUE(wait_until([&] { return host_->worker_status("web") == "error"; })) << host_->log();
  EXPECT_THAT(host_->cli({"ps"}).out, HasSubstr("exists and is not a socket; remove it or choose another place in sockets of web"));
  EXPECT_EQ(host_->worker_status("other"), "idle");
  EXPECT_EQ(read_text(host_->path("web.sock")), "a file that is in the way");
}

TEST_F(Sockets, OfSeveralKindsComeInOrder) {
  ASSERT_NO_FATAL_FAILURE(run(R"({ "supervision": { "children": [ { "id": "web", "channel": { "kind": "socket", "serializer": "json" },
    "command": ["sh", "-c", "echo $TENON_CHANNEL_FD $LISTEN_FDS $LISTEN_FDNAMES; exec sleep 1000"],
    "sockets": [ { "name": "tcp", "listen": "127.0.0.1:0" }, { "name": "udp", "listen": "[::1]:0", "type": "datagram" },
                 { "name": "file", "path": "${TEST}/x.sock", "mode": "0600" } ] } ] } })"));
  EXPECT_TRUE(wait_until([&] { return host_->cli({"logs", "web"}).out.find("6 3 tcp:udp:file") != std::string::npos; }))
      << host_->cli({"logs", "web"}).out;
}

// --- the other direction ---

// Binds the unix sockets named, and starts the host as a socket unit would.
HostProcess::Options activated(const std::string& paths, const std::string& names) {
  HostProcess::Options options;
  options.wrapper = {"python3", "-c", R"(
import os, socket, sys
for i, path in enumerate(sys.argv[1].replace("TEST", os.environ["TEST"]).split(":")):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen()
    os.dup2(s.fileno(), 20 + i)
    count = i + 1
for i in range(count):
    os.dup2(20 + i, 3 + i)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES=sys.argv[2])
os.execvp(sys.argv[3], sys.argv[3:])
)", paths, names};
  return options;
}

TEST_F(Sockets, ThatTheHostWasPassedGoOnToItsProcessesByPath) {
  ASSERT_NO_FATAL_FAILURE(run(web(), activated("TEST/web.sock", "anything")));
  EXPECT_EQ(answer(), answer_of(host_->worker_pid("web")));
  EXPECT_THAT(host_->log(), HasSubstr("sockets were passed to the host"));
  EXPECT_EQ(host_->stop(), 0);
  EXPECT_EQ(::access(host_->path("web.sock").c_str(), F_OK), 0) << "it is not the host's to remove";
}

TEST_F(Sockets, ThatTheHostWasPassedGoOnToItsProcessesByName) {
  ASSERT_NO_FATAL_FAILURE(run(R"({ "supervision": { "children": [ { "id": "web",
    "command": ["python3", "${WORKERS}/listener.py"], "sockets": [ { "inherit": true } ] } ] } })",
                              activated("TEST/other.sock:TEST/web.sock", "other:web")));
  EXPECT_EQ(answer(), answer_of(host_->worker_pid("web")));
}

TEST_F(Sockets, ThatTheHostWasPassedServeItsControlToo) {
  ASSERT_NO_FATAL_FAILURE(run(web(), activated("TEST/s", "control")));
  EXPECT_EQ(host_->cli({"ps"}).exit_code, 0);
  EXPECT_NE(::access((host_->socket() + ".lock").c_str(), F_OK), 0) << "it was not bound here";
}

TEST_F(Sockets, PassFromHostToHost) {
  host_.emplace(R"({ "supervision": { "children": [ { "id": "inner",
    "command": [")" + tenon_binary() + R"(", "run", "${TEST}/inner.json", "--socket", "${TEST}/inner"],
    "env": { "WORKERS": "${WORKERS}", "TEST": "${TEST}" }, "sockets": [ { "path": "${TEST}/web.sock" } ] } ] } })");
  write_text(host_->path("inner.json"), web());
  ASSERT_TRUE(host_->start()) << host_->log();
  EXPECT_THAT(answer(), StartsWith("web web "));
}

}  // namespace
}  // namespace tenon::test_support
