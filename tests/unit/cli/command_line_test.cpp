#include "cli/command_line.hpp"

#include <algorithm>

namespace tenon::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Parsed parse(std::vector<const char*> words) {
  words.insert(words.begin(), "tenon");
  return parse_command_line(static_cast<int>(words.size()), words.data(), "1.2.3");
}
Arguments good(std::vector<const char*> words) {
  Parsed parsed = parse(std::move(words));
  if (parsed.arguments) return *parsed.arguments;
  ADD_FAILURE() << parsed.error << parsed.out;
  return {};
}
// A complaint is one line on stderr, exit code 2, and says where help is.
std::string complaint(std::vector<const char*> words) {
  const Parsed parsed = parse(std::move(words));
  EXPECT_FALSE(parsed.arguments);
  EXPECT_EQ(parsed.exit_code, 2);
  EXPECT_EQ(parsed.out, "");
  EXPECT_EQ(parsed.error.find('\n'), std::string::npos) << parsed.error;
  EXPECT_THAT(parsed.error, HasSubstr("--help"));
  return parsed.error;
}

TEST(CommandLine, EveryVerbHasHelpWithItsExample) {
  for (const VerbEntry& entry : verb_table()) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : std::string(entry.name) + " ") {
      if (c == ' ') words.push_back(std::exchange(word, {}));
      else word += c;
    }
    std::vector<const char*> arguments;
    for (const std::string& w : words) arguments.push_back(w.c_str());
    arguments.push_back("--help");
    const Parsed parsed = parse(arguments);
    EXPECT_EQ(parsed.exit_code, 0) << entry.name;
    EXPECT_EQ(parsed.error, "") << entry.name;
    EXPECT_THAT(parsed.out, HasSubstr(std::string(entry.example))) << entry.name;
    EXPECT_THAT(parsed.out, HasSubstr("--socket")) << entry.name;
  }
}

TEST(CommandLine, OverviewNamesEveryVerb) {
  const std::string help = parse({"--help"}).out;
  for (const VerbEntry& entry : verb_table()) {
    EXPECT_THAT(help, HasSubstr(std::string(entry.name.substr(0, entry.name.find(' ')))));
  }
}

TEST(CommandLine, TellsItsVersion) {
  const Parsed parsed = parse({"--version"});
  EXPECT_EQ(parsed.out, "tenon 1.2.3\n");
  EXPECT_EQ(parsed.exit_code, 0);
}

TEST(CommandLine, SocketMayStandBeforeOrAfterTheVerb) {
  EXPECT_EQ(good({"--socket", "/s", "ps"}).socket, "/s");
  EXPECT_EQ(good({"ps", "--socket", "/s"}).socket, "/s");
  EXPECT_EQ(good({"plugin", "list", "--socket=/s"}).socket, "/s");
}

TEST(CommandLine, ReadsProcessVerbs) {
  const Arguments arguments = good({"stop", "counter.*", "pipeline", "--no-wait"});
  EXPECT_EQ(arguments.verb, Verb::stop);
  EXPECT_THAT(arguments.names, ElementsAre("counter.*", "pipeline"));
  EXPECT_FALSE(arguments.wait);
  EXPECT_TRUE(good({"start", "a"}).wait);
  EXPECT_EQ(good({"kill", "a", "--signal", "HUP"}).signal, "HUP");
}

TEST(CommandLine, ProcessMayBeCalledLikeAVerb) {
  EXPECT_THAT(good({"status", "info"}).names, ElementsAre("info"));
  EXPECT_THAT(good({"plugin", "info", "list"}).names, ElementsAre("list"));
}

TEST(CommandLine, ReadsEvents) {
  const Arguments arguments = good({"send", "a.b", "--type", "t", "--data", "[1,2]"});
  EXPECT_THAT(arguments.names, ElementsAre("a.b"));
  EXPECT_EQ(arguments.data, "[1,2]");
  EXPECT_EQ(arguments.type, "t");
  EXPECT_TRUE(good({"send", "a", "-"}).from_input);
  EXPECT_EQ(good({"send", "a", "--data", "-5"}).data, "-5");
  EXPECT_EQ(good({"send", "a", "--data", ""}).data, "");
  EXPECT_EQ(good({"request", "a", "--timeout", "250ms"}).timeout, std::chrono::milliseconds(250));
}

TEST(CommandLine, ReadsStreamsAndRuns) {
  EXPECT_EQ(good({"tail", "a.>", "-n", "3"}).count, 3u);
  const Arguments logs = good({"logs", "a", "-f", "-n", "0"});
  EXPECT_TRUE(logs.follow);
  EXPECT_EQ(logs.count, 0u);
  const Arguments run = good({"run", "c.json", "--for", "2m", "--until-idle"});
  EXPECT_EQ(run.run_for, std::chrono::minutes(2));
  EXPECT_TRUE(run.until_idle);
}

TEST(CommandLine, ReadsTop) {
  const Arguments plain = good({"top"});
  EXPECT_EQ(plain.interval, std::nullopt);
  EXPECT_EQ(plain.sort, std::nullopt);
  EXPECT_EQ(plain.count, std::nullopt);
  const Arguments all = good({"top", "--interval", "250ms", "--sort", "memory", "-n", "3", "--json"});
  EXPECT_EQ(all.interval, std::chrono::milliseconds(250));
  EXPECT_EQ(all.sort, SortKey::memory);
  EXPECT_EQ(all.count, 3u);
  EXPECT_TRUE(all.json);
  EXPECT_EQ(good({"top", "--interval", "100ms"}).interval, std::chrono::milliseconds(100));
  EXPECT_EQ(good({"top", "--interval", "1h"}).interval, std::chrono::hours(1));
}

TEST(CommandLine, HelpIsAVerbToo) {
  EXPECT_EQ(parse({"help"}).out, parse({"--help"}).out);
  EXPECT_EQ(parse({"help", "stop"}).out, parse({"stop", "--help"}).out);
  EXPECT_EQ(parse({"help", "plugin", "list"}).out, parse({"plugin", "list", "--help"}).out);
  EXPECT_EQ(parse({"help", "stop"}).exit_code, 0);
  EXPECT_THAT(complaint({"help", "stpo"}), HasSubstr("did you mean stop?"));
}

TEST(CommandLine, HelpShowsOptionsAsTheyAreTyped) {
  const std::string help = parse({"stop", "--help"}).out;
  EXPECT_THAT(help, HasSubstr("--no-wait"));
  EXPECT_THAT(help, testing::Not(HasSubstr("{false}")));
}

TEST(CommandLine, StatusAndLogsTakeSeveralLikeTheOtherVerbs) {
  EXPECT_THAT(good({"status", "a", "b.*"}).names, ElementsAre("a", "b.*"));
  EXPECT_THAT(good({"logs", "a", "b", "-f"}).names, ElementsAre("a", "b"));
}

TEST(CommandLine, UnknownVerbNamesTheNearest) {
  EXPECT_THAT(complaint({"staus", "a"}), HasSubstr("did you mean status?"));
  EXPECT_THAT(complaint({"--socket", "/s", "restrat"}), HasSubstr("did you mean restart?"));
  EXPECT_THAT(complaint({"xyzzyxyzzy"}), HasSubstr("there is no verb \"xyzzyxyzzy\""));
}

TEST(CommandLine, WrongUsageIsOneLineThatSaysWhatIsWrong) {
  complaint({});
  complaint({"status"});
  complaint({"ps", "--nonsense"});
  complaint({"plugin"});
  EXPECT_THAT(complaint({"plugin", "lst"}), HasSubstr("no verb \"plugin lst\"; did you mean plugin list?"));
  EXPECT_THAT(complaint({"plugin", "xyzzy"}), HasSubstr("there is plugin list and plugin info"));
  EXPECT_THAT(complaint({"kill", "a", "--signal", "BANG"}), HasSubstr("BANG"));
  EXPECT_THAT(complaint({"request", "a", "--timeout", "soon"}), HasSubstr("--timeout"));
  for (const char* timeout : {"10m", "0s", "", "-1s"})
    EXPECT_THAT(complaint({"request", "a", "--timeout", timeout}), HasSubstr("--timeout: found")) << timeout;
  EXPECT_THAT(complaint({"request", "a", "--timeout", "10m"}), HasSubstr("at most 5m"));
  EXPECT_THAT(complaint({"send", "a", "--type", ""}), HasSubstr("--type: an empty text"));
  EXPECT_THAT(complaint({"send", "a", "--type=", "--json"}), HasSubstr("\"--type=\" gives no value"));
  EXPECT_EQ(good({"send", "a", "--type=b="}).type, "b=");
  EXPECT_THAT(complaint({"ps", "--socket", ""}), HasSubstr("--socket: an empty text"));
  EXPECT_THAT(complaint({"request", "a", "--file", ""}), HasSubstr("--file: an empty text"));
  EXPECT_THAT(complaint({"send", "a", "b"}), HasSubstr("\"b\""));
  complaint({"send", "a", "--data", "1", "--file", "f"});
  EXPECT_THAT(complaint({"send", "a", "--data", "1", "-"}), HasSubstr("once"));
  EXPECT_THAT(complaint({"status", ""}), HasSubstr("empty"));
  EXPECT_THAT(complaint({"stop", "a", ""}), HasSubstr("empty"));
  complaint({"tail", "a", "-n", "-3"});
  complaint({"tail", "a", "-n", "many"});
  complaint({"tail", "a", "-n", ""});
  EXPECT_THAT(complaint({"logs", "a", "-n", "100001"}), HasSubstr("at most 100000"));
  EXPECT_THAT(complaint({"deadletters", "list", "-n", "100001"}), HasSubstr("at most 100000"));
  EXPECT_EQ(good({"logs", "a", "-n", "100000"}).count, 100'000u);
  EXPECT_EQ(good({"tail", "a", "-n", "100001"}).count, 100'001u);
  complaint({"run", "c.json", "--for", ""});
  for (const char* interval : {"99ms", "61m", "soon", ""})
    EXPECT_THAT(complaint({"top", "--interval", interval}), HasSubstr("--interval: found")) << interval;
  EXPECT_THAT(complaint({"top", "--interval", "0s"}), HasSubstr("expected 100ms to 1h"));
  EXPECT_THAT(complaint({"top", "--sort", "pid"}), HasSubstr("--sort: found \"pid\", expected cpu, memory"));
  complaint({"top", "w.1"});
}

TEST(CommandLine, AScaleNamesAChildAndANumber) {
  const Arguments scale = good({"scale", "counter", "5", "--no-wait"});
  EXPECT_EQ(scale.names, std::vector<std::string>{"counter"});
  EXPECT_EQ(scale.count, 5u);
  EXPECT_FALSE(scale.wait);
  EXPECT_THAT(complaint({"scale", "counter"}), HasSubstr("N is required"));
  EXPECT_THAT(complaint({"scale", "counter", "-1"}), HasSubstr("-1"));
  EXPECT_THAT(complaint({"scale", "counter", "two"}), HasSubstr("N: found \"two\""));
}

TEST(CommandLine, VerbsOfTheFutureAreNotOffered) {
  for (const char* verb : {"replay", "trace", "schema"}) {
    EXPECT_THAT(complaint({verb, "x"}), HasSubstr("comes with a later version")) << verb;
  }
  for (const char* verb : {"check", "new"})
    EXPECT_THAT(complaint({"plugin", verb, "x"}), HasSubstr("comes with a later version")) << verb;
}

}  // namespace
}  // namespace tenon::cli
