#include "cli/host_poll.hpp"

#include "cli/host_connection.hpp"
#include "scripted_host.hpp"

namespace tenon::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

MonotonicTime now() { return SystemClock().monotonic(); }

Result<HostPoll::Bodies> finish(HostPoll& poll) {
  while (true) {
    EXPECT_TRUE(poll.active());
    EXPECT_EQ(wait_readable(poll.fd(), now() + std::chrono::seconds(30), {}), Wake::ready);
    if (auto answer = poll.advance(now())) return std::move(*answer);
  }
}
Error failure(HostPoll& poll) {
  if (Status begun = poll.begin({"/v1/info"}, now()); !begun) return std::move(begun).error();
  auto answer = finish(poll);
  EXPECT_FALSE(answer);
  EXPECT_FALSE(poll.active());
  return answer ? Error() : std::move(answer).error();
}

TEST(HostPoll, FetchesItsTargetsOneAfterTheOther) {
  ScriptedHost host({ScriptedHost::answering(200, "{}"), ScriptedHost::answering(200, "[]")});
  HostPoll poll(host.path());
  ASSERT_TRUE(poll.begin({"/v1/info", "/v1/processes"}, now()).ok());
  const auto bodies = finish(poll);
  ASSERT_TRUE(bodies) << bodies.error().message;
  EXPECT_THAT(*bodies, ElementsAre("{}", "[]"));
  EXPECT_FALSE(poll.active());
  EXPECT_THAT(host.requests().at(1), StartsWith("GET /v1/processes HTTP/1.1\r\n"));
}

TEST(HostPoll, DoesNotWait) {
  ScriptedHost host({[](ScriptedHost::Peer& peer, const std::string&) { peer.wait_for_close(); }});
  {
    HostPoll poll(host.path());
    ASSERT_TRUE(poll.begin({"/v1/info"}, now()).ok());
    EXPECT_FALSE(poll.advance(now()));
    EXPECT_TRUE(poll.active());
    const auto late = poll.advance(poll.deadline());
    ASSERT_TRUE(late && !*late);
    EXPECT_EQ(late->error().code, errc::timeout);
    EXPECT_FALSE(poll.active());
  }
}

TEST(HostPoll, TellsWhyThereIsNoAnswer) {
  HostPoll nobody("/tmp/tenon-no-such-directory/s");
  const Error no_host = failure(nobody);
  EXPECT_EQ(no_host.code, errc::unavailable);
  EXPECT_FALSE(no_host.retryable);

  ScriptedHost host({ScriptedHost::dying(), ScriptedHost::restarting(),
                     ScriptedHost::answering(403, R"({"detail":"You may not."})"),
                     ScriptedHost::answering(200, "{}")});
  HostPoll poll(host.path());
  EXPECT_EQ(failure(poll).code, errc::io);
  const Error restarting = failure(poll);
  EXPECT_EQ(restarting.code, errc::unavailable);
  EXPECT_TRUE(restarting.retryable);
  EXPECT_THAT(restarting.message, HasSubstr("being restarted"));
  EXPECT_THAT(failure(poll).message, HasSubstr("You may not."));
  ASSERT_TRUE(poll.begin({"/v1/info"}, now()).ok()) << "can be used again";
  EXPECT_TRUE(finish(poll));
}

}  // namespace
}  // namespace tenon::cli
