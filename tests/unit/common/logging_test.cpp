#include "common/logging.hpp"

#include <fcntl.h>
#include <thread>
#include <unistd.h>

#include "common/json_document.hpp"
#include "common/log_format.hpp"
#include "common/system.hpp"
#include "common/text.hpp"

namespace tenon::log {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const WallTime kTime = WallTime(std::chrono::milliseconds(1'777'889'472'345));

std::string text(std::string_view message, std::vector<Field> fields = {}, bool colour = false) {
  return format_entry({kTime, Level::info, "keeper", message, fields.data(), fields.size()}, Format::text, colour);
}

std::string json(std::string_view message, std::vector<Field> fields = {}, std::size_t limit = kMaxLine - 1) {
  return format_entry({kTime, Level::warn, "keeper", message, fields.data(), fields.size()}, Format::json, false,
                      limit);
}

TEST(LogFormat, TextIsOneLineOfTimeLevelPartMessageFields) {
  EXPECT_EQ(text("engine restarted", {{"pid", 12}, {"after", "SIGSEGV"}, {"ok", true}, {"share", 0.5}}),
            "2026-05-04T10:11:12.345Z INFO  keeper: engine restarted pid=12 after=SIGSEGV ok=true share=0.5");
}

TEST(LogFormat, QuotesTextValuesOnlyWhenNeeded) {
  EXPECT_THAT(text("m", {{"a", "b c"}, {"e", ""}, {"q", "x=\"y\""}, {"p", "/a/b.c"}}),
              EndsWith(R"(m a="b c" e="" q="x=\"y\"" p=/a/b.c)"));
}

TEST(LogFormat, ForgesNoLinesAndNoTerminalCodes) {
  const std::string line = text("a\nb\x1b[2J", {{"v", "x\r\ny\x9b\xFF"}, {"k\n", 1}});
  EXPECT_EQ(line.find_first_of("\n\r\x1b"), std::string::npos);
  EXPECT_THAT(line, AllOf(HasSubstr(R"(a\nb\x1b[2J)"), HasSubstr(R"(v="x\r\ny\x9b\xff")"), HasSubstr(R"(k\n=1)")));
}

TEST(LogFormat, ColoursOnlyTheLevelAndOnlyWhenAsked) {
  EXPECT_THAT(text("m", {}, true), HasSubstr("\x1b[32mINFO \x1b[0m keeper: m"));
  EXPECT_THAT(text("m"), Not(HasSubstr("\x1b")));
}

TEST(LogFormat, JsonIsOneObjectWithTypedFields) {
  EXPECT_EQ(json("said \"hi\"", {{"pid", -12}, {"u", UINT64_MAX}, {"b", false}, {"d", 1.0}, {"s", "\xFF"}}),
            R"({"time":"2026-05-04T10:11:12.345Z","level":"warn","part":"keeper","message":"said \"hi\"",)"
            "\"pid\":-12,\"u\":18446744073709551615,\"b\":false,\"d\":1.0,\"s\":\"\xEF\xBF\xBD\"}");
}

TEST(LogFormat, CutsWhatIsTooLongAndSaysSo) {
  const std::string huge(100'000, 'x');
  const std::string line = text(huge, {{"k", huge}, {"n", 1}});
  EXPECT_LT(line.size(), kMaxLine);
  EXPECT_THAT(line, EndsWith(" truncated=true"));
  EXPECT_THAT(text("m", {{"k", huge}}), AllOf(HasSubstr(": m k=xxx"), EndsWith(" truncated=true")));
}

TEST(LogFormat, JsonStaysWellFormedHoweverLittleFits) {
  const std::string nasty(3'000, '\x01');
  for (std::size_t limit = 256; limit < 700; ++limit) {
    const std::string line =
        json(nasty, {{"a", nasty}, {"number", 123456789}, {nasty, 1}, {"é", "漢漢漢漢漢漢"}}, limit);
    ASSERT_LE(line.size(), limit);
    const auto document = JsonDocument::parse(line, "line");
    ASSERT_TRUE(document.ok()) << document.error().message << "\n" << line;
    ASSERT_EQ(document->root().find("truncated")->as_bool(), true);
  }
}

class Logging : public ::testing::Test {
 protected:
  Logging() {
    set_sink([this](Level level, std::string_view line) {
      levels_.push_back(level);
      lines_.emplace_back(line);
    });
  }
  ~Logging() override {
    set_sink({});
    set_level(Level::info);
    set_format(Format::text);
  }
  std::vector<Level> levels_;
  std::vector<std::string> lines_;
};

TEST_F(Logging, DropsWhatIsBelowTheLevel) {
  debug("p", "no");
  info("p", "yes");
  set_level(Level::error);
  warn("p", "no");
  error("p", "yes");
  set_level(Level::trace);
  trace("p", "yes");
  set_level(Level::off);
  error("p", "no");
  EXPECT_THAT(levels_, ::testing::ElementsAre(Level::info, Level::error, Level::trace));
  for (const auto& line : lines_) EXPECT_THAT(line, EndsWith("p: yes"));
}

TEST_F(Logging, TakesFieldsOfEveryType) {
  const std::string owned = "own ed";
  info("p", "m",
       {{"s", owned}, {"sv", std::string_view("v")}, {"i", -1}, {"u", 2u}, {"l", 3l}, {"b", true}, {"d", 2.5}});
  EXPECT_THAT(lines_.at(0), EndsWith("m s=\"own ed\" sv=v i=-1 u=2 l=3 b=true d=2.5"));
}

TEST_F(Logging, SwitchesToJson) {
  set_format(Format::json);
  info("p", "m");
  EXPECT_THAT(lines_.at(0), StartsWith("{\"time\":\""));
}

TEST_F(Logging, KeepsErrno) {
  errno = ENOENT;
  info("p", "m");
  EXPECT_EQ(errno, ENOENT);
}

TEST(LogNames, ParseBack) {
  for (Level level : {Level::trace, Level::debug, Level::info, Level::warn, Level::error, Level::off}) {
    EXPECT_EQ(parse_level(to_string(level)), level);
  }
  EXPECT_EQ(parse_level("warning"), Level::warn);
  EXPECT_EQ(parse_level("INFO"), std::nullopt);
  EXPECT_EQ(parse_format("json"), Format::json);
  EXPECT_EQ(parse_format("xml"), std::nullopt);
}

// Stands in for stderr while it lives.
class StderrPipe {
 public:
  StderrPipe() : pipe_(make_pipe().value()), saved_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) {
    ::dup2(pipe_.write_end.get(), STDERR_FILENO);
    pipe_.write_end.reset();
  }
  ~StderrPipe() { restore(); }
  void restore() {
    if (saved_.valid()) ::dup2(saved_.get(), STDERR_FILENO);
    saved_.reset();
  }
  int read_end() const { return pipe_.read_end.get(); }
  void close_read_end() { pipe_.read_end.reset(); }
  // Everything until the write end is closed.
  std::string rest() {
    restore();
    return read_all(pipe_.read_end.get(), 64 << 20, "pipe").value();
  }

 private:
  Pipe pipe_;
  unique_fd saved_;
};

TEST(LogToStderr, LinesOfSeveralThreadsNeverMix) {
  StderrPipe pipe;
  std::string all;
  std::thread reader([&] {
    char buffer[4096];
    // The last line of each thread ends with "end"; four of them are everything.
    for (int ends = 0; ends < 4;) {
      const ssize_t got = ::read(pipe.read_end(), buffer, sizeof buffer);
      ASSERT_GT(got, 0);
      all.append(buffer, static_cast<std::size_t>(got));
      ends = 0;
      for (std::size_t at = all.find("=end\n"); at != std::string::npos; at = all.find("=end\n", at + 1)) ++ends;
    }
  });
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([t] {
      for (int i = 0; i < 100; ++i)
        warn("thread", "m", {{"t", t}, {"x", std::string(static_cast<std::size_t>(i), 'x')}});
      warn("thread", "m", {{"t", t}, {"last", "end"}});
    });
  }
  for (auto& writer : writers) writer.join();
  reader.join();
  pipe.restore();
  ASSERT_TRUE(all.ends_with('\n'));
  all.pop_back();
  for (std::string_view line : split(all, '\n')) {
    EXPECT_THAT(line, AllOf(StartsWith("20"), ::testing::AnyOf(HasSubstr("thread: m t="), HasSubstr("log: "))));
  }
}

TEST(LogToStderr, AStalledReaderCostsLinesThatAreCountedNotTime) {
  StderrPipe pipe;
  ::fcntl(STDERR_FILENO, F_SETPIPE_SZ, 4096);
  const std::string value(1'500, 'x');
  for (int i = 0; i < 100; ++i) info("p", "first", {{"x", value}});  // more than the pipe holds; nobody reads
  char buffer[1 << 16];
  ASSERT_GT(::read(pipe.read_end(), buffer, sizeof buffer), 0);
  info("p", "after");
  const std::string rest = pipe.rest();
  EXPECT_THAT(rest, HasSubstr("dropped="));
  EXPECT_THAT(rest, HasSubstr("stderr took no lines"));
}

TEST(LogToStderr, AClosedReaderDoesNotKillTheProgram) {
  StderrPipe pipe;
  pipe.close_read_end();
  error("p", "into the void");  // a plain write would raise SIGPIPE
  pipe.restore();
  SUCCEED();
}

}  // namespace
}  // namespace tenon::log
