#include "unit/app/config_fixture.hpp"

#include <set>

#include <unistd.h>

#include "common/json_document.hpp"

namespace tenon::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigLoader : public ConfigFixture {};

TEST_F(ConfigLoader, FindsAllProblemsAtOnceInTheOrderOfTheFile) {
  const auto loaded = load(R"({
  "nod": "a",
  "engine": { "hang_timeout": 5 },
  "supervision": { "children": [
    { "id": "a b", "command": [] },
    { "id": "c", "command": ["true"], "stop": { "signal": "NOPE" }, "depends_on": ["nobody"] }
  ] }
})");
  EXPECT_THAT(lines(loaded.problems),
              ElementsAre(HasSubstr(":2:3: $.nod: there is no key"), HasSubstr(":3:31: $.engine.hang_timeout: found 5"),
                          HasSubstr(":5:13: $.supervision.children[0].id"), HasSubstr(":5:31: "),
                          HasSubstr(":6:59: $.supervision.children[1].stop.signal"), HasSubstr("no child \"nobody\"")));
}

TEST_F(ConfigLoader, KeepsThePlainIdWithoutReplicasAndNumbersFromOneWithThem) {
  const auto plain = load_child("");
  EXPECT_EQ(process(plain, 0).id, "a");
  EXPECT_EQ(process(plain, 0).base_id, "a");
  const auto one = load_child(R"(, "replicas": 1)");
  EXPECT_EQ(process(one, 0).id, "a.1");
  EXPECT_TRUE(load_child(R"(, "replicas": 0)").config.supervision->children.empty());
}

TEST_F(ConfigLoader, ScalesAChildToWhatIsAskedFor) {
  LoadOptions scaled;
  scaled.scales = {{"a", {.replicas = 4, .instead_of = 1}}};
  const auto loaded = load_child(R"(, "replicas": 1)", scaled);
  EXPECT_EQ(loaded.config.supervision->children.size(), 4u);
  EXPECT_EQ(loaded.replicas.at("a"), 1u);
  EXPECT_EQ(load_child(R"(, "replicas": 2)", scaled).config.supervision->children.size(), 2u)
      << "the file has changed since, and is newer";
  EXPECT_EQ(load_child("", scaled).config.supervision->children.size(), 1u) << "it has no replicas";
}

TEST_F(ConfigLoader, LetsDependOnReplicasAndWaitsForNoneThatIsNotThere) {
  const auto text = [](const std::string& replicas, const std::string& name) {
    return R"({"supervision": {"children": [{"id": "a", "command": ["true"], "replicas": )" + replicas +
           R"(}, {"id": "b", "command": ["true"], "depends_on": [")" + name + R"("]}]}})";
  };
  EXPECT_THAT(lines(load(text("2", "a.2")).problems), IsEmpty());
  EXPECT_THAT(lines(load(text("2", "a.3")).problems), ElementsAre(HasSubstr("no child \"a.3\"")));
  EXPECT_THAT(lines(load(text("2", "a.02")).problems), ElementsAre(HasSubstr("no child \"a.02\"")));
  const auto none = load(text("0", "a"));
  EXPECT_THAT(lines(none.problems), IsEmpty());
  EXPECT_THAT(process(none, 0).depends_on, IsEmpty());
}

TEST_F(ConfigLoader, SharesOneEnvironmentAmongTenThousandChildren) {
  std::string text = R"({"supervision": {"children": [)";
  for (int i = 0; i < 10'000; ++i) {
    text += (i > 0 ? ",{" : "{") + (R"("id": "p)" + std::to_string(i)) +
            R"(", "command": ["true", "x"], "channel": {"kind": "stdio"}, "subscribe": [{"topic": "a.>"}],)" +
            R"( "restart": {"policy": "always", "config": {"max": "1s"}}, "depends_on": [)" +
            (i > 0 ? "\"p" + std::to_string(i - 1) + "\"" : std::string()) + "]}";
  }
  const auto loaded = load(text + "]}}");
  ASSERT_THAT(lines(loaded.problems), IsEmpty());
  ASSERT_EQ(loaded.config.supervision->children.size(), 10'000u);
  std::set<const void*> environments;
  for (std::size_t i = 0; i < 10'000; ++i) environments.insert(process(loaded, i).shared_env.get());
  EXPECT_EQ(environments.size(), 1u);
}

TEST_F(ConfigLoader, BoundsTheNumberOfProcessesAndOfProblems) {
  std::string many, wrong;
  for (int i = 0; i < 11; ++i) {
    many +=
        (i > 0 ? ",{" : "{") + (R"("id": "p)" + std::to_string(i)) + R"(", "command": ["true"], "replicas": 10000})";
  }
  EXPECT_THAT(lines(load(R"({"supervision": {"children": [)" + many + "]}}").problems),
              ElementsAre(AllOf(HasSubstr("children[10]"), HasSubstr("more than 100000 processes"))));
  for (int i = 0; i < 2000; ++i) wrong += (i > 0 ? "," : "") + ("\"k" + std::to_string(i)) + "\": 1";
  EXPECT_EQ(load("{" + wrong + "}").problems.size(), ConfigReader::kMaxProblems + 1);
}

TEST_F(ConfigLoader, PutsEachReplicasIdIntoTheNameOfItsLog) {
  const auto loaded = load_child(R"(, "replicas": 2, "log": {"file": "{id}.log"})");
  ASSERT_THAT(lines(loaded.problems), IsEmpty());
  EXPECT_EQ(process(loaded, 1).log.file, directory / "a.2.log");
}

TEST_F(ConfigLoader, TakesOnlyAnAddressToListenOnAndLocalhostForOne) {
  write("token", "secret", 0600);
  const auto listen = [&](const std::string& where) {
    return load(R"({"control": {"http": {"listen": ")" + where + R"(", "token_file": "token"}}})");
  };
  const auto by_name = listen("localhost:7070");
  EXPECT_THAT(lines(by_name.problems), IsEmpty());
  EXPECT_EQ(by_name.config.control.http_listen, "127.0.0.1:7070");
  EXPECT_EQ(listen("[::1]:7070").config.control.http_listen, "[::1]:7070");
  EXPECT_EQ(listen("127.1.2.3:7070").config.control.http_listen, "127.1.2.3:7070");
  for (const std::string wrong : {"127.1.2.3.4:7070", "127.1:7070", "myhost:7070", "[localhost]x:7070", "[::1:7070"}) {
    EXPECT_THAT(lines(listen(wrong).problems), ElementsAre(HasSubstr("$.control.http.listen"))) << wrong;
  }
  EXPECT_THAT(lines(listen("192.0.2.1:7070").problems), ElementsAre(HasSubstr("beyond loopback needs TLS")));
}

TEST_F(ConfigLoader, RefusesATokenThatOthersMayRead) {
  const std::string text = R"({"control": {"http": {"listen": "[::1]:0", "token_file": "token"}}})";
  EXPECT_THAT(lines(load(text).problems), ElementsAre(HasSubstr("$.control.http.token_file")));
  write("token", "secret", 0640);
  EXPECT_THAT(lines(load(text).problems), ElementsAre(HasSubstr("chmod 600")));
  write("token", "secret", 0600);
  EXPECT_THAT(lines(load(text).problems), IsEmpty());
}

TEST_F(ConfigLoader, RefusesALogThatOthersCouldReplace) {
  std::filesystem::create_directory(directory / "open");
  ::chmod((directory / "open").c_str(), 0777);
  EXPECT_THAT(lines(load_child(R"(, "log": {"file": "open/a.log"})").problems),
              ElementsAre(AllOf(HasSubstr("log.file"), HasSubstr("chmod go-w"))));
  std::filesystem::create_symlink(directory / "elsewhere", directory / "a.log");
  EXPECT_THAT(lines(load_child(R"(, "log": {"file": "a.log"})").problems), ElementsAre(HasSubstr("symbolic link")));
}

TEST_F(ConfigLoader, RefusesAPluginDirectoryThatOthersCanWrite) {
  std::filesystem::create_directory(directory / "plugins");
  ::chmod((directory / "plugins").c_str(), 0777);
  EXPECT_THAT(lines(load(R"({"plugins": {"directories": ["plugins"]}})").problems),
              ElementsAre(HasSubstr("$.plugins.directories[0]")));
}

TEST_F(ConfigLoader, IgnoresADirectoryThatIsEmptyText) {
  const auto loaded =
      load(R"({"plugins": {"directories": ["${TENON_TEST_UNSET:-}", ""]}, "schemas": {"directories": [""]}})");
  EXPECT_THAT(lines(loaded.problems), IsEmpty());
  EXPECT_THAT(loaded.config.schema_directories, IsEmpty());
}

TEST_F(ConfigLoader, ReducesTheMachinesNameToALegalNode) {
  ConfigSources sources = load_sources(write("tenon.json", "{}"));
  sources.records.facts["hostname"] = "web-1.example.org";
  EXPECT_EQ(load_config(sources).config.node, "web-1-example-org");
}

TEST_F(ConfigLoader, PutsTheSocketIntoTheUsersRuntimeDirectory) {
  EXPECT_EQ(load("{}").config.control.socket, directory / "tenon/tenon.sock");
}

TEST_F(ConfigLoader, RefusesADirectoryInPlaceOfAProgram) {
  EXPECT_THAT(lines(load(R"({"supervision": {"children": [{"id": "a", "command": ["./"]}]}})").problems),
              ElementsAre(HasSubstr("not an executable program")));
}

TEST_F(ConfigLoader, WarnsOfWhatHasNoEffectWithoutAChannel) {
  const auto loaded = load_child(R"(, "mailbox": {"capacity": 5}, "echo": true)");
  EXPECT_THAT(lines(loaded.problems), IsEmpty());
  EXPECT_THAT(lines(loaded.warnings),
              ElementsAre(HasSubstr(".mailbox: has no effect"), HasSubstr(".echo: has no effect")));
}

TEST_F(ConfigLoader, RefusesASwitchOfUserThatTheHostMayNotMake) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may switch to everybody";
  EXPECT_THAT(lines(load_child(R"(, "user": "root")").problems),
              ElementsAre(HasSubstr("only a host that runs as root")));
}

TEST_F(ConfigLoader, NamesALimitOfSupervisorsInSupervisors) {
  std::string text = "{}";
  for (int i = 0; i < 17; ++i) {
    text = R"({"children": [{"id": "s)" + std::to_string(i) + R"(", "supervisor": )" + text + "}]}";
  }
  EXPECT_THAT(lines(load(R"({"supervision": )" + text + "}").problems),
              ElementsAre(HasSubstr("nested more than 16 deep")));
}

TEST_F(ConfigLoader, PrintsTheCycleOfOrderAndDependency) {
  const auto loaded = load(R"({"supervision": {"strategy": "rest_for_one", "children": [
    {"id": "first", "command": ["true"], "depends_on": ["second"]}, {"id": "second", "command": ["true"]}]}})");
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(loaded.problems[0].line, 2u);
  EXPECT_THAT(loaded.problems[0].sentence, AllOf(HasSubstr("first → second"), HasSubstr("second → first")));
}

TEST_F(ConfigLoader, PrintsEveryCycleBesideOtherErrors) {
  const auto loaded = load(R"({"node": 5, "supervision": {"children": [
    {"id": "a", "command": ["true"], "depends_on": ["b", "nobody"]},
    {"id": "b", "command": ["true"], "depends_on": ["a"]},
    {"id": "c", "command": ["true"], "depends_on": ["c"]}]}})");
  EXPECT_THAT(lines(loaded.problems),
              ElementsAre(HasSubstr("$.node"), HasSubstr("a → b → a"), HasSubstr("there is no child \"nobody\""),
                          HasSubstr("c → c")));
}

TEST_F(ConfigLoader, TellsACycleThroughReplicasOnce) {
  const auto loaded = load(R"({"supervision": {"children": [
    {"id": "a", "replicas": 3, "command": ["true"], "depends_on": ["b"]},
    {"id": "b", "command": ["true"], "depends_on": ["a"]}]}})");
  EXPECT_EQ(loaded.problems.size(), 1u);
}

TEST_F(ConfigLoader, TellsMachinesWhatWasFoundAndExpectedOfKeysToo) {
  const auto loaded = load(R"({"nodes": "a", "supervision": {"children": [{"id": "x"}]}})");
  ASSERT_EQ(loaded.problems.size(), 2u);
  EXPECT_EQ(loaded.problems[0].found, "the key \"nodes\"");
  EXPECT_THAT(loaded.problems[0].expected, AllOf(HasSubstr("one of"), HasSubstr("\"node\"")));
  EXPECT_EQ(loaded.problems[1].found, "an object with 1 member");
  EXPECT_EQ(loaded.problems[1].expected, "the key \"command\"");
}

TEST_F(ConfigLoader, LooksWhetherTheHostMayMakeItsSocket) {
  write("file", "");
  const auto wrong = [&](const std::string& path) {
    return lines(load(R"({"control": {"socket": ")" + path + "\"}}").problems);
  };
  EXPECT_THAT(wrong("s"), testing::IsEmpty());
  EXPECT_THAT(wrong("run/s"), testing::IsEmpty());  // the host makes it
  EXPECT_THAT(wrong("run/deeper/s"), ElementsAre(AllOf(HasSubstr("$.control.socket"), HasSubstr("does not exist"))));
  EXPECT_THAT(wrong("file"), ElementsAre(HasSubstr("is not a socket")));
  EXPECT_THAT(wrong("file/s"), ElementsAre(HasSubstr("is not a directory")));
}

TEST_F(ConfigLoader, LooksForTheInterpretersOfScripts) {
  const auto wrong = [&](const std::string& first_line) {
    const std::string path = write("script", first_line + "\n", 0755);
    return lines(load(R"({"supervision": {"children": [{"id": "x", "command": ["./script"]}]}})").problems);
  };
  for (const char* good :
       {"#!/bin/sh", "#! /bin/sh -e", "#!/usr/bin/env sh", "#!/usr/bin/env -S A=b sh -e", "no script"})
    EXPECT_THAT(wrong(good), testing::IsEmpty()) << good;
  EXPECT_THAT(wrong("#!/nowhere/python"), ElementsAre(AllOf(HasSubstr("$.supervision.children[0].command[0]"),
                                                            HasSubstr("\"/nowhere/python\", which does not exist"))));
  EXPECT_THAT(wrong("#!/bin/sh\r"), ElementsAre(HasSubstr("carriage return")));
  EXPECT_THAT(wrong("#!/usr/bin/env nopython"),
              ElementsAre(HasSubstr("\"nopython\", which is not in the child's PATH")));
  EXPECT_THAT(wrong("#!"), ElementsAre(HasSubstr("names no interpreter")));
}

TEST_F(ConfigLoader, DoubtsWhatOneProcessLacksOnceAHostStarts) {
  const std::string text = R"({"supervision": {"children": [
    {"id": "a", "command": ["/no/such/program"], "cwd": "/no/such/place", "log": {"file": "/no/such/place/log"}},
    {"id": "b", "command": ["true"]}]}})";
  EXPECT_THAT(load(text).problems, testing::SizeIs(3));
  const LoadedConfig starting = load(text, {.forgiving = true});
  EXPECT_THAT(lines(starting.problems), testing::IsEmpty());
  EXPECT_THAT(lines(starting.warnings),
              testing::UnorderedElementsAre(HasSubstr("/no/such/program"), HasSubstr("children[0].cwd"),
                                            HasSubstr("children[0].log.file")));
  EXPECT_EQ(process(starting, 1).argv.front(), "true");
}

TEST(ConfigProblemText, HasALineEachAndASummary) {
  ConfigProblem a{"t.json", 12, 7, "$.node", "5", "a string", ""};
  ConfigProblem b{"t.json", 0, 0, "", "", "", "there is more"};
  ConfigProblem c{"t.json", 1, 2, "$.x", "", "", "is odd"};
  EXPECT_EQ(format_problems({a, b}, {c}),
            "t.json:12:7: $.node: found 5, expected a string\n"
            "t.json: there is more\n"
            "t.json:1:2: warning: $.x: is odd\n"
            "2 errors, 1 warning\n");
  EXPECT_EQ(format_problems({}, {}), "no errors\n");
  EXPECT_EQ(problems_to_json({a}, {}),
            R"({"ok":false,"errors":[{"file":"t.json","line":12,"column":7,"path":"$.node","found":"5",)"
            R"("expected":"a string","message":"found 5, expected a string"}],"warnings":[]})");
}

}  // namespace
}  // namespace tenon::app
