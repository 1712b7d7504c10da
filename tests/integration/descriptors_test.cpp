// A host with too few descriptors for its processes: as many run as get theirs, and an engine can still be replaced.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;

// Root may raise its own limit, unless it has lost the capability.
HostProcess::Options with_limit(int descriptors) {
  const std::string script = "ulimit -n " + std::to_string(descriptors) + " && exec \"$@\"";
  HostProcess::Options options;
  if (::geteuid() == 0) options.wrapper = {"setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource"};
  for (const std::string& word : {std::string("bash"), std::string("-c"), script, std::string("bash")})
    options.wrapper.push_back(word);
  return options;
}

struct Counts {
  std::size_t running = 0;
  std::size_t short_of_descriptors = 0;
};

Counts counts(const HostProcess& host) {
  Counts found;
  const auto listed = host.json({"ps"});
  if (listed == nullptr) return found;
  for (const JsonValue process : listed->root().elements()) {
    found.running += process.find("status")->as_string() == "idle";
    found.short_of_descriptors +=
        process.find("reason")->as_string()->find("limit on open descriptors") != std::string_view::npos;
  }
  return found;
}

TEST(Descriptors, OutputsShareAPipeWhereTwoAreTooMany) {
  HostProcess host(R"({"supervision": {"children": [
      {"id": "talks", "replicas": 100, "command": ["sh", "-c", "echo out; echo err >&2; exec sleep 1000"]}]}})",
                   with_limit(300));
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(counts(host).running, 100u);
  EXPECT_THAT(host.log(), HasSubstr("share a pipe"));
  const std::string lines = host.cli({"logs", "talks.7"}).out;
  EXPECT_THAT(lines, HasSubstr("out"));
  EXPECT_THAT(lines, HasSubstr("err"));
}

TEST(Descriptors, ThoseThatGetNoneWaitAndTheEngineCanStillBeReplaced) {
  HostProcess host(R"({"supervision": {"children": [
      {"id": "many", "replicas": 300, "command": ["sleep", "1000"]}]}})",
                   with_limit(300));
  host.launch();
  ASSERT_TRUE(wait_until([&] { return counts(host).short_of_descriptors > 100; })) << host.log();
  EXPECT_GT(counts(host).running, 100u);
  const pid_t first = host.worker_pid("many.1");
  ::kill(host.engine_pid(), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return host.engine_restarts() == 1; })) << host.log();
  EXPECT_EQ(host.worker_pid("many.1"), first);
  EXPECT_GT(counts(host).running, 100u);
  EXPECT_EQ(host.engine_restarts(), 1) << host.log();
}

}  // namespace
}  // namespace tenon::test_support
