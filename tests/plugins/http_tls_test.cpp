// health_check/http over TLS: whom it trusts, by which authorities and which name.
#include <signal.h>
#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "http_fixture.hpp"

namespace {

using namespace tenon::test_support;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

// A TLS server whose certificate nobody signed, by the openssl program. port() is 0 where that is not installed.
class SelfSignedServer {
 public:
  SelfSignedServer() {
    std::string pattern = testing::TempDir() + "tenon_http_test_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    const std::string script = "echo $$; cd " + directory_ +
                               " && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
                               " -keyout key.pem -out cert.pem 2>/dev/null"
                               " && exec openssl s_server -accept 127.0.0.1:0 -www -key key.pem -cert cert.pem 2>&1";
    output_ = ::popen(script.c_str(), "re");
    char line[256];
    while (port_ == 0 && std::fgets(line, sizeof line, output_) != nullptr) {
      const std::string text(line);
      if (pid_ == 0) pid_ = std::stoi(text);
      if (text.starts_with("ACCEPT 127.0.0.1:")) port_ = static_cast<std::uint16_t>(std::stoi(text.substr(17)));
    }
    if (port_ == 0 && std::getenv("TENON_SKIP_NOTHING") != nullptr)
      ADD_FAILURE() << "openssl s_server does not run; install the package openssl";
  }
  ~SelfSignedServer() {
    if (port_ != 0) ::kill(pid_, SIGKILL);
    ::pclose(output_);
    std::filesystem::remove_all(directory_);
  }
  SelfSignedServer(const SelfSignedServer&) = delete;
  SelfSignedServer& operator=(const SelfSignedServer&) = delete;
  std::string url() const { return "https://localhost:" + std::to_string(port_) + "/"; }
  std::uint16_t port() const { return port_; }
  std::string certificate() const { return directory_ + "/cert.pem"; }

 private:
  std::string directory_;
  std::FILE* output_ = nullptr;
  int pid_ = 0;
  std::uint16_t port_ = 0;
};

TEST(HttpCheckTls, TrustsOnlyVerifiedServersUnlessToldOtherwise) {
  SelfSignedServer server;
  if (server.port() == 0) GTEST_SKIP() << "the openssl program is not installed";
  HealthCheckUnderTest strict(http(), config(server.url()));
  const CheckCompletion refused = strict.check();
  EXPECT_EQ(refused.health, TENON_UNHEALTHY);
  EXPECT_THAT(refused.reason, AllOf(StartsWith("no TLS connection to localhost:"), HasSubstr("self-signed")));
  HealthCheckUnderTest trusting(http(), config(server.url(), R"(,"tls_verify":false)"));
  EXPECT_EQ(trusting.check().reason, "");
  HealthCheckUnderTest reading(http(), config(server.url(), R"(,"tls_verify":false,"body_contains":"Ciphers")"));
  EXPECT_EQ(reading.check().reason, "");
  HealthCheckUnderTest missing(http(), config(server.url(), R"(,"tls_verify":false,"body_contains":"no such text")"));
  EXPECT_THAT(missing.check().reason, HasSubstr("its body does not contain"));
}

TEST(HttpCheckTls, TrustsTheConfiguredAuthoritiesAndStillVerifiesTheName) {
  SelfSignedServer server;
  if (server.port() == 0) GTEST_SKIP() << "the openssl program is not installed";
  const std::string ca = R"(,"tls_ca_file":")" + server.certificate() + "\"";
  EXPECT_EQ(HealthCheckUnderTest(http(), config(server.url(), ca)).check().reason, "");
  const std::string by_address = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  EXPECT_THAT(HealthCheckUnderTest(http(), config(by_address, ca)).check().reason, StartsWith("no TLS connection to"));
  const std::string named = ca + R"(,"tls_server_name":"localhost")", other = ca + R"(,"tls_server_name":"other")";
  EXPECT_EQ(HealthCheckUnderTest(http(), config(by_address, named)).check().reason, "");
  EXPECT_THAT(HealthCheckUnderTest(http(), config(by_address, other)).check().reason, HasSubstr("hostname mismatch"));
}

TEST(HttpCheckTls, SaysThatTheConfiguredAuthoritiesCannotBeReadUntilTheyCan) {
  SelfSignedServer server;
  if (server.port() == 0) GTEST_SKIP() << "the openssl program is not installed";
  const std::string copy = server.certificate() + ".later";
  HealthCheckUnderTest check(http(), config(server.url(), R"(,"tls_ca_file":")" + copy + "\""));
  const CheckCompletion missing = check.check();
  EXPECT_EQ(missing.health, TENON_UNHEALTHY);
  EXPECT_THAT(missing.reason, StartsWith("cannot read tls_ca_file " + copy + ": "));
  std::filesystem::copy_file(server.certificate(), copy);
  EXPECT_EQ(check.check().reason, "");
}

TEST(HttpCheckTls, IsUnhealthyWhenATlsServerIsNone) {
  ScriptedServer server([](Connection& connection) {
    connection.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection.wait_for_close();
  });
  HealthCheckUnderTest check(http(), config("https://127.0.0.1:" + std::to_string(server.port())));
  EXPECT_THAT(check.check().reason, StartsWith("no TLS connection to 127.0.0.1:"));
}

TEST(HttpCheckTls, EndsATlsHandshakeAtOnceWhenItIsCancelled) {
  ScriptedServer server([](Connection& connection) { connection.wait_for_close(); });
  HealthCheckUnderTest check(http(), config("https://127.0.0.1:" + std::to_string(server.port())));
  check.begin(1h);
  ASSERT_TRUE(check.host.pump([&] { return server.accepted() == 1; }));
  check.cancel();
  ASSERT_TRUE(check.host.pump([&] { return server.served() == 1 && check.host.working() == 0; }));
  EXPECT_EQ(check.host.timers() + check.host.watches(), 0u);
}

}  // namespace
