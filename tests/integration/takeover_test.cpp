// An engine takes over from a dead one whatever became of the files it once came from, and whoever made the other one
// die.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <filesystem>

#include "integration/channel_memory.hpp"
#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// An installation of the test's own, so that its plugins can be taken away or exchanged.
class Installation {
 public:
  Installation() {
    char name[] = "/tmp/tenon-installed-XXXXXX";
    root_ = ::mkdtemp(name);
    fs::create_directories(root_ + "/bin");
    fs::create_directories(plugins());
    fs::copy_file(tenon_binary(), root_ + "/bin/tenon");
    for (const auto& entry : fs::directory_iterator(TENON_PLUGIN_DIRECTORY))
      if (entry.path().extension() == ".so")
        fs::copy_file(entry.path(), plugins() + "/" + entry.path().filename().string());
  }
  ~Installation() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  std::string plugins() const { return root_ + "/plugins"; }
  // Puts a plugin of the shelf into the place of an own one.
  void replace(const std::string& plugin, const std::string& by) const {
    fs::copy_file(TENON_SHELF_DIRECTORY "/" + by + ".so", plugins() + "/" + plugin + ".so",
                  fs::copy_options::overwrite_existing);
  }
  HostProcess::Options options() const {
    HostProcess::Options options;
    options.wrapper = {"bash", "-c", "shift; exec \"$0\" \"$@\"", root_ + "/bin/tenon"};
    options.environment = {"SHELF_REAL_JSON=" TENON_PLUGIN_DIRECTORY "/json.so"};
    return options;
  }

 private:
  std::string root_;
};

constexpr const char* kEchoes = R"("supervision": { "children": [
    { "id": "echo", "replicas": 2, "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "ask", "group": "echoes" }], "ready": { "on": "event" } },
    { "id": "plain", "command": ["sleep", "1000"] } ] })";

std::string echoes_and(const std::string& more) { return "{ " + more + ", " + kEchoes + " }"; }

std::vector<pid_t> pids(const HostProcess& host) {
  return {host.worker_pid("echo.1"), host.worker_pid("echo.2"), host.worker_pid("plain")};
}
bool answers(const HostProcess& host) {
  return host.cli({"request", "ask", "--data", "1", "--timeout", "20s"}).exit_code == 0;
}
// Kills the engine, `count` for the count-th time, and expects that nobody notices.
void expect_nobody_notices(HostProcess& host, const std::vector<pid_t>& before, std::int64_t count = 1) {
  ::kill(host.engine_pid(), SIGKILL);
  ASSERT_TRUE(host.wait_for_engine_restart(count)) << host.log();
  EXPECT_EQ(pids(host), before) << host.log();
  EXPECT_TRUE(answers(host)) << host.log();
  EXPECT_EQ(host.engine_restarts(), count) << host.log();
}

TEST(Takeover, SchemasThatWereBrokenMeanwhileChangeNothing) {
  HostProcess host(echoes_and(R"("schemas": { "directories": ["schemas"] })"));
  fs::create_directory(host.path("schemas"));
  write_text(host.path("schemas/ask.json"), R"({ "$id": "urn:ask", "x-tenon-type": "strict", "type": "integer" })");
  ASSERT_TRUE(host.start()) << host.log();
  const std::vector<pid_t> before = pids(host);
  write_text(host.path("schemas/broken.json"), "{ this is no schema");
  expect_nobody_notices(host, before);
  fs::remove_all(host.path("schemas"));
  expect_nobody_notices(host, before, 2);
  EXPECT_NE(host.cli({"send", "ask", "--type", "strict", "--data", "\"text\""}).exit_code, 0) << "still checked";
  EXPECT_EQ(host.cli({"send", "ask", "--type", "strict", "--data", "7"}).exit_code, 0);
}

TEST(Takeover, PluginsThatWereRemovedMeanwhileAreStillUsed) {
  const Installation installation;
  HostProcess host(echoes_and(R"("transports": { "bus": { "plugin": "local", "url": "unix://${TEST}/bus" } },
                                 "routes": [ { "topic": "out.>", "to": ["bus"] } ])"),
                   installation.options());
  ASSERT_TRUE(host.start()) << host.log();
  const std::vector<pid_t> before = pids(host);
  fs::remove(installation.plugins() + "/local.so");
  expect_nobody_notices(host, before);
  EXPECT_THAT(host.cli({"transports", "--json"}).out, HasSubstr("\"connected\"")) << host.log();
  fs::remove_all(installation.plugins());
  expect_nobody_notices(host, before, 2);
  expect_nobody_notices(host, before, 3);
  EXPECT_EQ(host.stop(), 0);
}

TEST(Takeover, ATransportThatKillsTheEngineIsDoneWithout) {
  HostProcess host(echoes_and(R"("plugins": { "directories": ["${SHELF}"] },
                                 "transports": { "bus": { "plugin": "abort_in_create_transport", "url": "x://y" } },
                                 "routes": [ { "topic": "out.>", "to": ["bus"] } ])"));
  // The shelf's other plugins would fall over this host, too.
  fs::create_directory(host.path("only"));
  fs::copy_file(TENON_SHELF_DIRECTORY "/abort_in_create_transport.so", host.path("only/abort_in_create_transport.so"));
  std::string config = read_text(host.config_path());
  config.replace(config.find("${SHELF}"), 8, "only");
  write_text(host.config_path(), config);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(host.engine_restarts(), 1) << host.log();
  EXPECT_TRUE(answers(host)) << host.log();
  EXPECT_THAT(host.cli({"transports", "--json"}).out, HasSubstr("no plugin offers")) << host.log();
  expect_nobody_notices(host, pids(host), 2);
  EXPECT_EQ(host.stop(), 0);
}

int free_port() {
  const unique_fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return 0;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}
// The first line of the answer to GET /v1/tree with the token.
std::string ask_over_tcp(int port, const std::string& token) {
  const unique_fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{10, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return "no connection";
  const std::string request =
      "GET /v1/tree HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token + "\r\nConnection: close\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return "not sent";
  char answer[64] = {};
  const ssize_t got = ::recv(socket.get(), answer, sizeof answer - 1, MSG_WAITALL);
  const std::string text(answer, static_cast<std::size_t>(got > 0 ? got : 0));
  return text.substr(0, text.find('\r'));
}

TEST(Takeover, ATokenFileThatWasRemovedMeanwhileShutsNobodyOut) {
  const int port = free_port();
  HostProcess host(echoes_and(R"("control": { "http": { "listen": "127.0.0.1:)" + std::to_string(port) +
                              R"(", "token_file": "token" } })"));
  write_text(host.path("token"), "a-token-of-sixteen-characters\n");
  fs::permissions(host.path("token"), fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_TRUE(host.start()) << host.log();
  const std::vector<pid_t> before = pids(host);
  EXPECT_EQ(ask_over_tcp(port, "a-token-of-sixteen-characters"), "HTTP/1.1 200 OK");
  fs::remove(host.path("token"));
  expect_nobody_notices(host, before);
  EXPECT_EQ(ask_over_tcp(port, "a-token-of-sixteen-characters"), "HTTP/1.1 200 OK");
  EXPECT_THAT(ask_over_tcp(port, "another-token-of-the-same-length"), HasSubstr(" 401 "));
}

// --- a serializer that cannot be done without ---

class Poison : public ::testing::Test {
 protected:
  Poison() :
      host_(R"({ "engine": { "hang_timeout": "1s" }, "supervision": { "children": [
    { "id": "echo", "replicas": 2, "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "ask", "group": "echoes" }], "ready": { "on": "event" } },
    { "id": "plain", "command": ["sleep", "1000"] },
    { "id": "poisoner", "channel": { "kind": "stdio" }, "subscribe": [{ "topic": "crash" }, { "topic": "hang" }],
      "command": ["bash", "-c", "while read -r event; do case $event in *hang*) word=quicksand;; *) word=poison;; esac; echo '{\"type\":\"bad\",\"data\":\"'$word'\"}'; done"] } ] } })",
            installation_.options()) {
    installation_.replace("json", "poisoned_json");
  }
  void SetUp() override {
    ASSERT_TRUE(host_.start()) << host_.log();
    innocents_ = pids(host_);
    poisoner_ = host_.worker_pid("poisoner");
  }
  void expect_only_the_poisoner_was_restarted() {
    EXPECT_TRUE(wait_until([&] {
      return host_.worker_pid("poisoner") > 0 && host_.worker_pid("poisoner") != poisoner_;
    })) << host_.log();
    EXPECT_EQ(pids(host_), innocents_) << host_.log();
    EXPECT_TRUE(answers(host_)) << host_.log();
    EXPECT_THAT(host_.cli({"plugin", "list"}).out, ::testing::Not(HasSubstr("quarantined")));
    EXPECT_THAT(host_.log(), HasSubstr("install a mended version"));
  }

  Installation installation_;
  HostProcess host_;
  std::vector<pid_t> innocents_;
  pid_t poisoner_ = 0;
};

TEST_F(Poison, CrashesAreForgivenTwiceAndThenTheSenderIsRestartedInsteadOfTheSerializerQuarantined) {
  for (int crash = 1; crash <= 3; ++crash) {
    EXPECT_EQ(host_.worker_pid("poisoner"), poisoner_) << host_.log();
    host_.cli({"send", "crash"});
    ASSERT_TRUE(host_.wait_for_engine_restart(crash)) << host_.log();
  }
  expect_only_the_poisoner_was_restarted();
}

TEST_F(Poison, AHangIsEndedAndTheSenderRestarted) {
  host_.cli({"send", "hang"});
  ASSERT_TRUE(host_.wait_for_engine_restart(1)) << host_.log();
  expect_only_the_poisoner_was_restarted();
}

// --- a channel whose last write has no known fate ---

class BrokenChannel : public ::testing::Test {
 protected:
  BrokenChannel() :
      host_(R"({ "supervision": { "children": [
      { "id": "echo", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" }, "subscribe": [{ "topic": "ask" }],
        "ready": { "on": "event" }, "restart": { "policy": "never" } } ] } })") {}
  void SetUp() override {
    ASSERT_TRUE(host_.start()) << host_.log();
    pid_ = host_.worker_pid("echo");
  }
  // Kills the engine as if it were writing to the only channel.
  void kill_engine_in_a_write() {
    const pid_t engine = host_.engine_pid();
    const std::string descriptors = "/proc/" + std::to_string(host_.keeper_pid()) + "/fd";
    ::kill(engine, SIGSTOP);
    int found = 0;
    for (const auto& entry : fs::directory_iterator(descriptors)) {
      std::error_code gone;
      if (fs::read_symlink(entry.path(), gone).string().find("tenon-channel") == std::string::npos) continue;
      auto memory = integration::ChannelMemory::adopt(unique_fd(::open(entry.path().c_str(), O_RDWR | O_CLOEXEC)),
                                                      1024 * 1024 + 64);
      ASSERT_TRUE(memory.ok()) << memory.error().message;
      memory->output().set_uncertain(true);
      ++found;
    }
    ASSERT_EQ(found, 1);
    ::kill(engine, SIGKILL);
    ASSERT_TRUE(wait_until([&] { return host_.engine_restarts() == 1; })) << host_.log();
  }

  HostProcess host_;
  pid_t pid_ = 0;
};

TEST_F(BrokenChannel, CostsItsWorkerAnIncarnationThatCountsAgainstNothing) {
  kill_engine_in_a_write();
  ASSERT_TRUE(wait_until([&] { return host_.worker_pid("echo") > 0 && host_.worker_pid("echo") != pid_; }))
      << host_.log();
  EXPECT_TRUE(answers(host_)) << host_.log();
  EXPECT_EQ(host_.json({"status", "echo"})->root().find("restarts")->as_u64(), 0u);
}

TEST_F(BrokenChannel, LeavesAPausedWorkerPaused) {
  ASSERT_EQ(host_.cli({"pause", "echo"}).exit_code, 0);
  kill_engine_in_a_write();
  ASSERT_TRUE(wait_until([&] { return host_.worker_pid("echo") == 0; })) << host_.log();
  EXPECT_EQ(host_.worker_status("echo"), "paused");
  EXPECT_EQ(host_.cli({"resume", "echo"}).exit_code, 0);
  ASSERT_TRUE(wait_until([&] { return host_.worker_status("echo") == "idle"; })) << host_.log();
  EXPECT_TRUE(answers(host_)) << host_.log();
}

}  // namespace
}  // namespace tenon::test_support
