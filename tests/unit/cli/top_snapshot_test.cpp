#include "cli/top_snapshot.hpp"

#include "top_fixture.hpp"

namespace tenon::cli {
namespace {

using ::testing::HasSubstr;

constexpr MonotonicTime kNow{std::chrono::hours(1)};
constexpr const char* kInfo =
    R"({"node":"alpha","version":"1.2.3","uptime_ms":61000,"engine_restarts":2,"event_bytes":12})";

TopSnapshot good(const TopDocuments& documents, MonotonicTime taken = kNow) {
  auto snapshot = read_snapshot(documents, taken);
  if (snapshot) return std::move(snapshot).value();
  ADD_FAILURE() << snapshot.error().message;
  return {};
}

TEST(TopSnapshot, ReadsWhatTheHostSays) {
  const TopSnapshot snapshot = good({.info = kInfo, .processes = R"([
    {"id":"counter.1","status":"busy","reason":"counting","pid":4711,"restarts":2,"uptime_ms":61000,"health":"healthy",
     "supervisor":"root","mailbox":{"depth":3,"capacity":10000,"dropped":4,"delivered":5},
     "parked":{"waits_for":"sink","limit":"mailbox"},"memory_bytes":2097152,"cpu_seconds":1.5}])"});
  EXPECT_EQ(snapshot.node, "alpha");
  EXPECT_EQ(snapshot.uptime, std::chrono::seconds(61));
  EXPECT_EQ(snapshot.engine_restarts, 2u);
  EXPECT_EQ(snapshot.event_bytes, 12u);
  ASSERT_EQ(snapshot.processes.size(), 1u);
  const TopProcess& process = snapshot.processes[0];
  EXPECT_EQ(process.id, "counter.1");
  EXPECT_EQ(process.pid, 4711);
  EXPECT_EQ(process.reason, "counting; waits for room at sink");
  EXPECT_TRUE(process.parked);
  EXPECT_EQ(process.uptime, std::chrono::seconds(61));
  EXPECT_EQ(process.memory, 2097152u);
  EXPECT_EQ(process.cpu_seconds, 1.5);
  EXPECT_EQ(process.cpu_share, std::nullopt);
  EXPECT_EQ(process.waiting, 3u);
  EXPECT_EQ(process.dropped, 4u);
}

TEST(TopSnapshot, ToleratesWhatIsMissing) {
  const TopSnapshot snapshot = good({.info = "{}", .processes = R"([{},{"id":"a","pid":null,"health":null}])"});
  ASSERT_EQ(snapshot.processes.size(), 2u);
  EXPECT_EQ(snapshot.processes[1].pid, std::nullopt);
  EXPECT_EQ(snapshot.processes[1].health, "");
}

TEST(TopSnapshot, CannotBeForgedByAProcess) {
  const TopSnapshot snapshot = good({.info = kInfo, .processes = R"([{"id":"a","reason":"\u001b[2J\n\u202e"}])"});
  EXPECT_EQ(snapshot.processes[0].reason, "\\x1b[2J\\n\\u202e");
}

TEST(TopSnapshot, ListsSupervisorsInOrderWithTheirDepth) {
  const TopSnapshot snapshot = good({.info = kInfo, .processes = "[]", .tree = R"(
    {"id":"root","strategy":"one_for_one","state":"running","restarts":1,"children":[
      {"id":"a","status":"idle"},
      {"id":"outer","strategy":"rest_for_one","state":"running","reason":"why","children":[
        {"id":"inner","children":[]}]},
      {"id":"last","children":[]}]})"});
  std::string text;
  for (const TopSupervisor& s : snapshot.supervisors) text += s.id + ":" + std::to_string(s.depth) + " ";
  EXPECT_EQ(text, "root:0 outer:1 inner:2 last:1 ");
  EXPECT_EQ(snapshot.supervisors[0].restarts, 1u);
  EXPECT_EQ(snapshot.supervisors[1].reason, "why");
}

TEST(TopSnapshot, NamesTheDocumentThatCannotBeRead) {
  const auto snapshot = read_snapshot({.info = kInfo, .processes = "[{]"}, kNow);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().code, errc::bad_data);
  EXPECT_THAT(snapshot.error().message, HasSubstr("about its processes"));
}

TEST(Troubled, IsWhatAnOperatorWouldLookAt) {
  const auto is_troubled = [](auto change) {
    TopProcess process = a_process("a");
    change(process);
    return process.troubled();
  };
  EXPECT_FALSE(is_troubled([](TopProcess&) {}));
  EXPECT_TRUE(is_troubled([](TopProcess& p) { p.status = "error"; }));
  EXPECT_TRUE(is_troubled([](TopProcess& p) { p.status = "initializing"; }));
  EXPECT_TRUE(is_troubled([](TopProcess& p) { p.health = "unhealthy"; }));
  EXPECT_TRUE(is_troubled([](TopProcess& p) { p.health = "degraded"; }));
  EXPECT_TRUE(is_troubled([](TopProcess& p) { p.parked = true; }));
  for (const char* status : {"busy", "paused", "stopping", "terminated"})
    EXPECT_FALSE(is_troubled([&](TopProcess& p) { p.status = status; })) << status;
}

TopProcess used(std::string id, std::int64_t pid, double cpu, std::chrono::milliseconds uptime) {
  TopProcess process = a_process(std::move(id));
  process.pid = pid;
  process.cpu_seconds = cpu;
  process.uptime = uptime;
  return process;
}

TEST(Rates, AreWhatWasUsedBetweenTwoMoments) {
  using namespace std::chrono_literals;
  TopProcess silent = a_process("silent");
  const TopSnapshot before =
      snapshot_of({used("same", 1, 10, 60s), used("again", 2, 50, 60s), used("shrunk", 3, 5, 60s), silent});
  TopSnapshot now = snapshot_of({used("same", 1, 10.5, 62s), used("again", 9, 0.1, 200ms), used("shrunk", 3, 4, 62s),
                                 used("new", 4, 1.0, 500ms), used("unborn", 5, 0, 0ms), silent});
  add_rates(now, before);
  EXPECT_DOUBLE_EQ(now.processes[0].cpu_share.value(), 0.25);
  EXPECT_DOUBLE_EQ(now.processes[1].cpu_share.value(), 0.5) << "another process of that id counts from its start";
  EXPECT_EQ(now.processes[2].cpu_share.value(), 0) << "what left with a descendant is not negative";
  EXPECT_DOUBLE_EQ(now.processes[3].cpu_share.value(), 2.0);
  EXPECT_EQ(now.processes[4].cpu_share, std::nullopt);
  EXPECT_EQ(now.processes[5].cpu_share, std::nullopt);
}

TEST(Rates, CountDeliveredEventsThroughARestartOfTheEngine) {
  TopSnapshot before = snapshot_of({a_process("a"), a_process("b")});
  before.processes[0].delivered = 100;
  before.processes[1].delivered = 100;
  TopSnapshot now = before;
  now.taken += std::chrono::seconds(2);
  now.processes[0].delivered = 140;
  now.processes[1].delivered = 10;  // counted anew
  add_rates(now, before);
  EXPECT_DOUBLE_EQ(now.delivered_per_second.value(), 25);
}

TEST(CpuJsonLine, AddsToEachProcessAndChangesNothingElse) {
  const std::string processes = R"([{"id":"a","cpu_seconds":1.50,"mailbox":{"depth":0}},{},{"id":"b"}])";
  TopSnapshot snapshot = good({.info = kInfo, .processes = processes});
  snapshot.processes[0].cpu_share = 0.1234;
  EXPECT_EQ(cpu_json_line(processes, snapshot),
            R"([{"id":"a","cpu_seconds":1.50,"mailbox":{"depth":0},"cpu_percent":12.3},{"cpu_percent":null},)"
            "{\"id\":\"b\",\"cpu_percent\":null}]\n");
  EXPECT_EQ(cpu_json_line("[]", snapshot), "[]\n");
}

}  // namespace
}  // namespace tenon::cli
