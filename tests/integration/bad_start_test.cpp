// What keeps a host from starting, and what does not: a clear error, and the rest undisturbed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

std::string children(const std::string& list) { return R"({ "supervision": { "children": [)" + list + "] } }"; }

constexpr const char* kEcho = R"({ "id": "echo", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
    "subscribe": [{ "topic": "ask" }], "ready": { "on": "event" } })";

// The host must end by itself with 1; its log.
std::string refusal(const std::string& config) {
  HostProcess host(config);
  host.launch();
  EXPECT_EQ(host.wait_for_end(), 1) << host.log();
  return host.log();
}

// `check` calls it an error; a host says so, puts that process into error and runs the rest.
TEST(BadStart, ACommandOrADirectoryThatDoesNotExistDisturbsNobodyElse) {
  HostProcess host(children(std::string(R"({ "id": "a", "command": ["/no/such/program"] },
      { "id": "b", "command": ["sleep", "1000"], "cwd": "/no/such/place" },)") +
                            kEcho));
  host.launch();
  for (const char* id : {"a", "b"})
    ASSERT_TRUE(wait_until([&] { return host.worker_status(id) == "error"; })) << host.log();
  EXPECT_EQ(host.cli({"request", "ask", "--data", "1"}).exit_code, 0) << host.log();
  EXPECT_THAT(host.cli({"ps"}).out, HasSubstr("could not start"));
  EXPECT_THAT(host.log(), HasSubstr("/no/such/program"));
  EXPECT_THAT(host.log(), HasSubstr("$.supervision.children[0].command"));
  EXPECT_EQ(host.cli({"check", host.config_path()}).exit_code, 1);
}

TEST(BadStart, AllErrorsAreToldAtOnce) {
  const std::string log = refusal(R"({ "nodee": "x", "logging": { "level": "loud" }, "supervision": { "children": [
      { "id": "a", "command": ["true"], "restart": { "policy": "alwais" } },
      { "id": "a", "command": ["true"], "depends_on": ["b"] } ] } })");
  EXPECT_THAT(log, HasSubstr("nodee"));
  EXPECT_THAT(log, HasSubstr("\"node\""));
  EXPECT_THAT(log, HasSubstr("loud"));
  EXPECT_THAT(log, HasSubstr("alwais"));
  EXPECT_THAT(log, HasSubstr("$.supervision.children[1].id"));
}

TEST(BadStart, ACommandThatVanishesPutsOneProcessIntoError) {
  HostProcess host(children(std::string(R"({ "id": "gone", "command": ["${TEST}/gone"],
      "restart": { "config": { "initial": "10ms", "max": "10ms" } } },)") +
                            kEcho));
  write_text(host.path("gone"), "#!/bin/sh\nrm -f \"$0\"\nexit 1\n");
  ::chmod(host.path("gone").c_str(), 0700);
  host.launch();
  ASSERT_TRUE(wait_until([&] { return host.worker_status("gone") == "error"; })) << host.log();
  EXPECT_EQ(host.cli({"request", "ask", "--data", "1"}).exit_code, 0) << host.log();
  const auto status = host.json({"status", "gone"});
  ASSERT_TRUE(status);
  EXPECT_NE(status->root().find("reason")->as_string().value_or(""), "");
}

TEST(BadStart, APluginDirectoryThatOthersMayWriteIsRefused) {
  HostProcess host(R"({ "plugins": { "directories": ["plugins"] } })");
  std::filesystem::create_directory(host.path("plugins"));
  ::chmod(host.path("plugins").c_str(), 0777);
  host.launch();
  EXPECT_EQ(host.wait_for_end(), 1);
  EXPECT_THAT(host.log(), HasSubstr("$.plugins.directories[0]"));
}

TEST(BadStart, ADirectoryWithoutPermissionIsNamed) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  HostProcess host(R"({ "plugins": { "directories": ["closed"] } })");
  std::filesystem::create_directory(host.path("closed"));
  ::chmod(host.path("closed").c_str(), 0700);
  ::chmod(host.directory().c_str(), 0755);
  const ProgramResult check = run_program(
      {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tenon_binary(), "check", host.config_path()});
  EXPECT_EQ(check.exit_code, 1) << check.out << check.err;
  EXPECT_THAT(check.out + check.err, HasSubstr("closed"));
}

TEST(BadStart, APortInUseIsNamed) {
  const unique_fd taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(taken.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(taken.get(), 1), 0);
  ASSERT_EQ(::getsockname(taken.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  const std::string port = std::to_string(ntohs(address.sin_port));

  HostProcess host(R"({ "control": { "http": { "listen": "127.0.0.1:)" + port + R"(", "token_file": "token" } } })");
  write_text(host.path("token"), "a-secret-of-some-length\n");
  ::chmod(host.path("token").c_str(), 0600);
  host.launch();
  EXPECT_EQ(host.wait_for_end(), 1);
  EXPECT_THAT(host.log(), HasSubstr(port));
}

TEST(BadStart, ASecondHostOnTheSameSocketIsRefusedAndTheFirstGoesOn) {
  HostProcess host(children(kEcho));
  ASSERT_TRUE(host.start()) << host.log();
  const pid_t echo = host.worker_pid("echo");
  const ProgramResult second = run_program({tenon_binary(), "run", host.config_path(), "--socket", host.socket()},
                                           {"TEST=" + host.directory(), "WORKERS=" TENON_TEST_WORKERS});
  EXPECT_EQ(second.exit_code, 1) << second.err;
  EXPECT_THAT(second.out + second.err, HasSubstr(host.socket()));
  EXPECT_EQ(host.worker_pid("echo"), echo);
  EXPECT_EQ(host.cli({"request", "ask", "--data", "1"}).exit_code, 0);
}

TEST(BadStart, AConfigThatIsNoJsonNamesItsLine) {
  const std::string log = refusal("{\n  \"node\": \"a\",\n  oops\n}\n");
  EXPECT_THAT(log, AnyOf(HasSubstr("tenon.json:3"), HasSubstr("line 3")));
}

TEST(BadStart, AMissingConfigIsNamed) {
  const ProgramResult run = run_program({tenon_binary(), "run", "/no/such/config.json"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("/no/such/config.json"));
}

}  // namespace
}  // namespace tenon::test_support
