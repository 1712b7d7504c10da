#include "cli/top_view.hpp"

#include "cli/display_width.hpp"
#include "top_fixture.hpp"

namespace tenon::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;

TopSnapshot busy_host() {
  TopSnapshot snapshot = snapshot_of({a_process("counter.1", "busy"), a_process("shaky", "initializing")});
  TopProcess& counter = snapshot.processes[0];
  counter.pid = 4711;
  counter.cpu_share = 0.123;
  counter.memory = 3 << 20;
  counter.uptime = 61500ms;
  counter.health = "healthy";
  counter.waiting = 3;
  TopProcess& shaky = snapshot.processes[1];
  shaky.restarts = 4;
  shaky.dropped = 2;
  shaky.reason = "restart 4 of 5 in 10 s, next in 800 ms: exit code 3";
  snapshot.delivered_per_second = 12.4;
  snapshot.event_bytes = 2048;
  return snapshot;
}

std::vector<std::string> texts(const Screen& screen) {
  std::vector<std::string> lines;
  for (const ScreenLine& line : screen) lines.push_back(line.text);
  return lines;
}

std::vector<std::string> drawn(const TopSnapshot& snapshot, const TopState& state, ScreenSize size,
                               const std::string& trouble = "") {
  return texts(draw_top({.snapshot = snapshot, .state = state, .interval = 1s, .now = snapshot.taken + 12s,
                         .trouble = trouble},
                        size, {}));
}

TEST(TopView, ShowsFactsProcessesAndHints) {
  const std::vector<std::string> expected = {
      "alpha  tenon 1.2.3  up 1m 1s  engine restarts 0" + std::string(58, ' ') + "every 1 s",
      "2 processes, 1 in trouble (e):  1 busy  1 initializing",
      "cpu 12.3 %  memory 3 MiB  events 12/s  waiting 3 (2 KiB)  dropped 2",
      "",
      "PROCESS   STATUS         PID CPU%↓   MEMORY RESTARTS  UPTIME HEALTH  WAITING DROPPED REASON" +
          std::string(23, ' '),
      "counter.1 busy          4711  12.3    3 MiB        0   1m 1s healthy       3       0 ",
      "shaky     initializing     -     -        -        4       - -             0       2 restart 4 of 5 in 10 s, next…",
      "",
      "",
      "1-2 of 2  by cpu  / filter  e trouble  t tree  h help  q quit",
  };
  EXPECT_EQ(drawn(busy_host(), {}, {114, 10}), expected);
}

TEST(TopView, FillsExactlyTheScreenAndNoMore) {
  TopSnapshot snapshot = busy_host();
  snapshot.processes[0].id = "日本語のとても長いプロセスの名前e\u0301";
  snapshot.processes[0].reason = "理由🚀" + std::string(300, 'x');
  snapshot.supervisors = {{.id = "root", .strategy = "one_for_one", .state = "running"}};
  for (const bool tree : {false, true})
    for (const auto page : {TopState::Page::processes, TopState::Page::help})
      for (const std::size_t columns : {1, 2, 7, 20, 40, 80, 81, 200})
        for (const std::size_t rows : {1, 2, 3, 4, 5, 6, 9, 10, 24, 60}) {
          const TopState state{.tree = tree, .filter = "o", .page = page};
          const Screen screen = draw_top({.snapshot = snapshot, .state = state}, {columns, rows}, {.colour = true});
          EXPECT_EQ(screen.size(), rows);
          for (const ScreenLine& line : screen) EXPECT_LE(line.width, columns) << line.text;
        }
}

TEST(TopView, WidthsThatLinesTellAreThoseOfTheirTexts) {
  for (const ScreenLine& line : draw_top({.snapshot = busy_host(), .state = {}}, {60, 12}, {}))
    EXPECT_EQ(line.width, display_width(line.text)) << line.text;
}

TEST(TopView, NarrowTerminalKeepsWhatIsAskedForMost) {
  const std::string headings = drawn(busy_host(), {}, {80, 24})[4];
  EXPECT_EQ(headings.substr(0, 71), "PROCESS   STATUS       CPU%↓   MEMORY RESTARTS  UPTIME HEALTH  REASON");
  const std::string by_uptime = drawn(busy_host(), {.sort = SortKey::uptime, .reversed = true}, {40, 24})[4];
  EXPECT_THAT(by_uptime, HasSubstr("UPTIME↑")) << "what is sorted by is always there";
  EXPECT_THAT(by_uptime, Not(HasSubstr("MEMORY")));
  const auto trouble = drawn(busy_host(), {.sort = SortKey::status, .troubled_only = true}, {80, 24});
  EXPECT_THAT(trouble[4], StartsWith("PROCESS   STATUS↓      RESTARTS  UPTIME HEALTH  REASON "))
      << "who looks at trouble asks for health and reasons";
  EXPECT_THAT(trouble[5], HasSubstr("restart 4 of 5 in 10 s"));
}

TEST(TopView, ColumnsStayWhereTheyAreWhenRowsAreLeftOut) {
  const TopSnapshot snapshot = busy_host();
  EXPECT_EQ(drawn(snapshot, {.filter = "shaky"}, {80, 24})[4], drawn(snapshot, {}, {80, 24})[4]);
  EXPECT_EQ(drawn(snapshot, {.filter = "shaky"}, {80, 24})[5], drawn(snapshot, {}, {80, 24})[6]);
}

TEST(TopView, ShowsAPageOfAThousand) {
  TopSnapshot snapshot = snapshot_of({});
  for (int i = 1; i <= 1000; ++i) snapshot.processes.push_back(a_process("w." + std::to_string(i)));
  const auto lines = drawn(snapshot, {.scrolled = 500}, {80, 24});
  EXPECT_EQ(lines.size(), 24u);
  EXPECT_THAT(lines[5], HasSubstr("w.501 "));
  EXPECT_THAT(lines[22], HasSubstr("w.518 "));
  EXPECT_THAT(lines[23], HasSubstr("501-518 of 1000  by cpu"));
  EXPECT_THAT(drawn(snapshot, {.scrolled = 5000}, {80, 24})[22], HasSubstr("w.1000 "));
}

TEST(TopView, SaysWhyThePictureIsOld) {
  const std::string banner = "the host is not running; waiting for it on /s";
  EXPECT_EQ(drawn(busy_host(), {}, {80, 24}, banner)[3], banner + "; this is 12 s old");
  EXPECT_EQ(drawn(busy_host(), {}, {80, 6}, banner)[0], banner + "; this is 12 s old");
}

TEST(TopView, FewRowsAreForProcesses) {
  EXPECT_EQ(top_room({80, 24}), 18u);
  EXPECT_EQ(top_room({80, 5}), 2u);
  EXPECT_EQ(top_room({80, 3}), 1u);
  EXPECT_EQ(top_room({80, 0}), 1u);
  EXPECT_THAT(drawn(busy_host(), {}, {80, 1})[0], HasSubstr("counter.1"));
}

TEST(TopView, ShowsWhatWasChosen) {
  const TopSnapshot snapshot = busy_host();
  EXPECT_THAT(drawn(snapshot, {.typing = true, .filter = "ab"}, {80, 24})[23], HasSubstr("filter: ab_"));
  EXPECT_THAT(drawn(snapshot, {.filter = "\u202eab"}, {80, 24})[23],
              HasSubstr("nothing of 0, 2 in all  by cpu  filter: \\u202eab (Esc)"));
  EXPECT_THAT(drawn(snapshot, {.reversed = true, .troubled_only = true}, {80, 24})[23],
              HasSubstr("1-1 of 1, 2 in all  by cpu, reversed  in trouble only (e)"));
  const auto help = drawn(snapshot, {.page = TopState::Page::help}, {80, 24});
  EXPECT_EQ(help[4], "c m r i s u sort by cpu, memory, restarts, id, status (worst first), uptime");
  for (const std::string& line : help) EXPECT_THAT(line, Not(HasSubstr("…")));
}

TEST(TopView, ColoursStatusAndHealth) {
  TopSnapshot snapshot = busy_host();
  snapshot.processes[0].health = "unhealthy";
  const Screen screen = draw_top({.snapshot = snapshot, .state = {}}, {114, 10}, {.colour = true});
  EXPECT_THAT(screen[5].text, HasSubstr("\x1b[32mbusy\x1b[0m"));
  EXPECT_THAT(screen[5].text, HasSubstr("\x1b[31munhealthy\x1b[0m"));
  EXPECT_THAT(screen[6].text, HasSubstr("\x1b[33minitializing\x1b[0m"));
  EXPECT_TRUE(screen[4].text.starts_with("\x1b[7mPROCESS"));
}

TEST(TopView, SupervisorsStandAboveTheirProcesses) {
  TopSnapshot snapshot = busy_host();
  snapshot.supervisors = {{.id = "root", .strategy = "one_for_one", .state = "running", .reason = "fine", .restarts = 7}};
  const auto lines = drawn(snapshot, {.tree = true}, {114, 10});
  EXPECT_THAT(lines[5], HasSubstr("root        running "));
  EXPECT_THAT(lines[5], HasSubstr(" 7 "));
  EXPECT_THAT(lines[5], HasSubstr("one_for_one; fine"));
  EXPECT_THAT(lines[6], HasSubstr("  counter.1 busy"));
}

TEST(TopPrint, HasEveryRowAndNothingIsCutWithoutATerminal) {
  TopSnapshot snapshot = busy_host();
  const std::string text = print_top({.snapshot = snapshot, .state = {}}, {});
  EXPECT_EQ(text,
            "alpha  tenon 1.2.3  up 1m 1s  engine restarts 0\n"
            "2 processes, 1 in trouble (e):  1 busy  1 initializing\n"
            "cpu 12.3 %  memory 3 MiB  events 12/s  waiting 3 (2 KiB)  dropped 2\n"
            "PROCESS    STATUS          PID  CPU%↓    MEMORY  RESTARTS   UPTIME  HEALTH   WAITING  DROPPED  REASON\n"
            "counter.1  busy           4711   12.3     3 MiB         0    1m 1s  healthy        3        0\n"
            "shaky      initializing      -      -         -         4        -  -              0        2  "
            "restart 4 of 5 in 10 s, next in 800 ms: exit code 3\n");
}

}  // namespace
}  // namespace tenon::cli
