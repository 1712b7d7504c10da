#include "cli/views.hpp"

#include "cli/display_width.hpp"
#include "common/rfc3339.hpp"
#include "common/text.hpp"

namespace tenon::cli {
namespace {

JsonDocument parsed(const std::string& text) {
  auto document = JsonDocument::parse(text, "test");
  if (!document) throw std::runtime_error(document.error().message);
  return std::move(document).value();
}

TEST(ProcessTable, ShowsWhatPeopleAskFor) {
  const JsonDocument document = parsed(R"([
    {"id":"counter.1","status":"busy","reason":"","pid":4711,"restarts":2,"uptime_ms":61000,"health":"healthy",
     "supervisor":"root","mailbox":{"depth":3,"capacity":10000,"dropped":4},"memory_bytes":2097152,"cpu_seconds":1.5},
    {"id":"feeder","status":"initializing","reason":"waits for broker","pid":null,"restarts":0,"uptime_ms":null,
     "health":null,"mailbox":{"depth":0,"capacity":0,"dropped":0},"memory_bytes":null,"cpu_seconds":null}])");
  EXPECT_EQ(render_processes(document.root(), {}),
            "PROCESS    STATUS         PID  UPTIME  RESTARTS  HEALTH               MAILBOX  MEMORY     CPU  REASON\n"
            "counter.1  busy          4711   1m 1s         2  healthy  3/10000 (4 dropped)   2 MiB  1.50 s\n"
            "feeder     initializing     -       -         0  -                          -       -       -  "
            "waits for broker\n");
}

TEST(ProcessTable, CountsAsPeopleDo) {
  const JsonDocument document = parsed(R"([{"id":"w.1"},{"id":"w.10"},{"id":"w.2"}])");
  const std::string text = render_processes(document.root(), {});
  EXPECT_LT(text.find("w.2"), text.find("w.10")) << text;
}

TEST(ProcessTable, TakesOneLineAProcessOnATerminal) {
  const JsonDocument document = parsed(R"([
    {"id":"counter.1","status":"initializing","reason":"restart 4 of 5 in 10 s, next in 800 ms: exit code 3",
     "pid":47110,"restarts":4,"uptime_ms":3599000,"health":"unhealthy","mailbox":{"depth":3,"capacity":10000},
     "memory_bytes":2097152,"cpu_seconds":1.5}])");
  const std::string text = render_processes(document.root(), {.columns = 80});
  EXPECT_EQ(text,
            "PROCESS   STATUS         PID  UPTIME RESTARTS HEALTH    REASON\n"
            "counter.1 initializing 47110 59m 59s        4 unhealthy restart 4 of 5 in 10 s,…\n"
            "a wider terminal also shows MAILBOX, MEMORY, CPU\n");
  for (std::size_t columns = 60; columns < 200; ++columns) {
    const std::string lines = render_processes(document.root(), {.columns = columns});
    for (const std::string_view line : split(lines, '\n')) EXPECT_LE(display_width(line), columns) << line;
  }
}

TEST(ProcessTable, SumsUpManyOnATerminal) {
  std::string json = "[";
  for (int i = 1; i <= 20; ++i)
    json += std::string(i == 1 ? "" : ",") + R"({"id":"w.)" + std::to_string(i) + R"(","status":")" +
            (i == 7 ? "error" : "idle") + "\"}";
  const JsonDocument document = parsed(json + "]");
  EXPECT_TRUE(render_processes(document.root(), {.columns = 80}).ends_with("\n20 processes: 1 error, 19 idle\n"));
  EXPECT_TRUE(render_processes(document.root(), {}).ends_with(" -\n")) << "a program counts for itself";
}

TEST(ProcessTable, ToleratesMissingMembers) {
  const JsonDocument document = parsed(R"([{"id":"a"},{}])");
  const std::string text = render_processes(document.root(), {});
  EXPECT_EQ(text,
            "PROCESS  STATUS  PID  UPTIME  RESTARTS  HEALTH  MAILBOX  MEMORY  CPU  REASON\n"
            "-        -         -       -         -  -             -       -    -\n"
            "a        -         -       -         -  -             -       -    -\n");
}

TEST(ProcessTable, SaysWhatToDoWhenThereIsNothing) {
  EXPECT_EQ(render_processes(parsed("[]").root(), {}),
            "no processes; add them under supervision.children in the config\n");
}

TEST(ProcessTable, CannotBeForgedByAProcess) {
  const JsonDocument document = parsed(R"([{"id":"a","reason":"\u001b[2J\nroot  idle"}])");
  EXPECT_EQ(render_processes(document.root(), {}).find('\x1b'), std::string::npos);
}

TEST(ProcessTable, ShowsForWhomASenderWaits) {
  const JsonDocument document = parsed(R"([
    {"id":"a","reason":"","parked":{"waits_for":"sink","limit":"mailbox","events":2}},
    {"id":"b","reason":"counting","parked":{"waits_for":"pool","limit":"limits.events","events":1}},
    {"id":"c","reason":"","parked":null}])");
  const std::string text = render_processes(document.root(), {});
  EXPECT_THAT(text, ::testing::HasSubstr("  waits for room at sink\n"));
  EXPECT_THAT(text, ::testing::HasSubstr("  counting; waits for room at pool (limits.events is reached)\n"));
  EXPECT_TRUE(text.ends_with(" -\n")) << text;
}

TEST(Tree, DrawsNestedSupervisors) {
  const JsonDocument document = parsed(R"({"id":"root","strategy":"one_for_one","state":"running","children":[
    {"id":"a","status":"idle","pid":1,"restarts":1},
    {"id":"pipeline","strategy":"rest_for_one","state":"running","children":[
      {"id":"b","status":"idle"},{"id":"c","status":"error","reason":"gone"}]},
    {"supervisor":{"id":"empty","strategy":"one_for_all","state":"stopped","children":[]}}]})");
  EXPECT_EQ(render_tree(document.root(), {}),
            "root  one_for_one  running\n"
            "├─ a  idle  pid 1  1 restart\n"
            "├─ pipeline  rest_for_one  running\n"
            "│  ├─ b  idle\n"
            "│  └─ c  error  gone\n"
            "└─ empty  one_for_all  stopped\n");
}

TEST(Tree, IsCutWhereTheTerminalEnds) {
  const JsonDocument document = parsed(R"({"id":"root","strategy":"one_for_one","state":"running","children":[
    {"id":"a","status":"error","reason":"日本語 exit code 3; the policy is never to restart it"}]})");
  EXPECT_EQ(render_tree(document.root(), {.columns = 30}),
            "root  one_for_one  running\n"
            "└─ a  error  日本語 exit code…\n");
}

TEST(Health, ShowsTheLastResultsAtAGlance) {
  const JsonDocument document = parsed(R"([{"process":"a","check":"tcp","role":"readiness","state":"degraded","reason":"","results":[
    {"at":"T1","state":"healthy","latency_ms":0.25,"reason":""},
    {"at":"T2","state":"unhealthy","latency_ms":12,"reason":"refused"}]}])");
  EXPECT_EQ(render_health(document.root(), {}),
            "PROCESS  CHECK  ROLE       STATE     LAST  LATENCY  RESULTS  REASON\n"
            "a        tcp    readiness  degraded    T2    12 ms  +x       refused\n");
}

TEST(Plugins, ShowsWhereFromAndWhyNot) {
  const JsonDocument document = parsed(R"([{"name":"nats","version":"1.0.0","file":"/p/nats.so","state":"rejected",
    "reason":"ABI 2","components":["transport/nats","serializer/x"]}])");
  EXPECT_EQ(render_plugins(document.root(), {}),
            "PLUGIN  VERSION  STATE     COMPONENTS                    FILE        REASON\n"
            "nats    1.0.0    rejected  transport/nats, serializer/x  /p/nats.so  ABI 2\n");
}

TEST(List, TakesItsColumnsFromTheKeys) {
  const JsonDocument document = parsed(R"([{"topic":"a.>","to":["bus"]},{"from":"bus","topic":"b","idle_ms":1500}])");
  EXPECT_EQ(render_list(document.root(), "none", {}),
            "TOPIC  TO   FROM   IDLE\n"
            "a.>    bus  -         -\n"
            "b      -    bus   1.5 s\n");
  EXPECT_EQ(render_list(parsed("[]").root(), "none", {}), "none\n");
}

TEST(Details, IndentsWhatIsNested) {
  const JsonDocument document = parsed(R"({"id":"a","uptime_ms":90000,"mailbox":{"depth":1,"bytes":2048},"tags":[],
    "history":[{"at":"T","reason":"crash"}],"last_exit":null})");
  EXPECT_EQ(render_details(document.root(), {}),
            "id         a\n"
            "uptime     1m 30s\n"
            "mailbox\n"
            "  depth  1\n"
            "  bytes  2 KiB\n"
            "tags       -\n"
            "history\n"
            "  AT  REASON\n"
            "  T   crash\n"
            "last exit  -\n");
}

TEST(Details, WrapBelowThemselvesOnATerminal) {
  const JsonDocument document = parsed(R"({"id":"a","reason":"restart 4 of 5 in 10 s, next in 800 ms: exit code 3",
    "checks":[{"check":"exec","reason":"bash ended with exit code 1: the disk is full"}]})");
  EXPECT_EQ(render_details(document.root(), {.columns = 40}),
            "id      a\n"
            "reason  restart 4 of 5 in 10 s, next in\n"
            "        800 ms: exit code 3\n"
            "checks\n"
            "  CHECK REASON\n"
            "  exec  bash ended with exit code 1: the\n"
            "        disk is full\n");
}

TEST(ProcessInFull, ShowsTheLastResultOfEachCheckAndItsAge) {
  const JsonDocument document = parsed(R"({"id":"a","checks":[
    {"process":"a","check":"tcp","role":"startup","state":"degraded","reason":"","timeouts":1,"results":[
      {"at":"2026-05-04T10:00:00.000Z","state":"healthy","latency_ms":0.25,"reason":""},
      {"at":"2026-05-04T10:00:05.000Z","state":"unhealthy","latency_ms":12,"reason":"refused"}]},
    {"process":"a","check":"exec","state":null,"reason":"no such plugin","timeouts":0,"results":[]},
    {"process":"a","check":"odd","state":"healthy","reason":"","results":[
      {"at":"2026-05-04T11:00:00Z","state":"healthy"}]}],"events_in":3})");
  const auto now = parse_rfc3339("2026-05-04T10:01:35.000Z");
  ASSERT_TRUE(now.ok());
  EXPECT_EQ(render_process(document.root(), *now, {}),
            "id         a\n"
            "checks\n"
            "  CHECK  ROLE     STATE     LAST RESULT     AGE  LATENCY  TIMEOUTS  REASON\n"
            "  tcp    startup  degraded  unhealthy    1m 30s    12 ms         1  refused\n"
            "  exec   -        -         -                 -        -         0  no such plugin\n"
            "  odd    -        healthy   healthy         0 s        -         -\n"
            "events in  3\n");
}

TEST(DeadLetters, ShowWhoSentAndWhoRefused) {
  const JsonDocument document = parsed(R"([{"number":7,"reason":"too_large","receiver":"sink","sender":"feeder",
    "detail":"raise max_event","attempts":0,"time":"T","id":"e1","type":"t","topic":"a.b"}])");
  EXPECT_EQ(render_dead_letters(document.root(), {}),
            "NUMBER  TIME  REASON     TOPIC  ID  SENDER  RECEIVER  ATTEMPTS  DETAIL\n"
            "     7  T     too_large  a.b    e1  feeder  sink             0  raise max_event\n");
}

TEST(EventLine, ShowsTimeTopicAndData) {
  EXPECT_EQ(render_event(R"({"time":"T","topic":"a.b","type":"x","id":"1","source":"/w","data":{"k": 1.0}})", {}),
            "T  a.b  1  /w  {\"k\":1.0}\n");
  EXPECT_EQ(render_event("no json", {}), "no json\n");
}

TEST(LogLine, IsTheProcesssOwnText) {
  EXPECT_EQ(render_log_line(R"({"stream":"stdout","text":"hello \u001b[1mx"})", {}), "hello \x1b[1mx\n");
  EXPECT_EQ(render_log_line(R"({"stream":"stdout","text":"\u001b[2J"})", {.colour = true}), "\\x1b[2J\n");
  EXPECT_EQ(render_log_line(R"({"stream":"host","text":"12 lines dropped"})", {}), "-- 12 lines dropped --\n");
  EXPECT_EQ(render_log_line(R"({"id":"counter.1","stream":"stdout","text":"a"})", {}), "counter.1  a\n");
  EXPECT_EQ(render_log_line(R"({"stream":"stderr","text":"long","cut":true})", {}), "long …\n");
}

}  // namespace
}  // namespace tenon::cli
