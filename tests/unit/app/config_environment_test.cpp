#include "unit/app/config_fixture.hpp"

namespace tenon::app {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ConfigEnvironment : public ConfigFixture {
 protected:
  void SetUp() override {
    ConfigFixture::SetUp();
    ::setenv("TENON_TEST_SECRET", "swordfish", 1);
    ::setenv("HOST_SETTING", "inherited", 1);
    ::setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
    ::setenv("TENON_KEEPER_LINK", "7", 1);
  }
  void TearDown() override {
    for (const char* name : {"TENON_TEST_SECRET", "HOST_SETTING", "NOTIFY_SOCKET", "TENON_KEEPER_LINK"})
      ::unsetenv(name);
  }
};

TEST_F(ConfigEnvironment, IsMinimalUnlessAllIsInherited) {
  const auto minimal = load_child("");
  ASSERT_THAT(lines(minimal.problems), IsEmpty());
  EXPECT_THAT(environment(process(minimal, 0)),
              AllOf(Contains(StartsWith("PATH=")), Contains("TENON_ID=a"), Contains(StartsWith("TENON_NODE=")),
                    Not(Contains(StartsWith("HOST_SETTING="))), Not(Contains(StartsWith("TENON_CONTENT_TYPE=")))));
  const auto all = load_child(R"(, "inherit_env": true)");
  EXPECT_THAT(environment(process(all, 0)),
              AllOf(Contains("HOST_SETTING=inherited"), Not(Contains(StartsWith("NOTIFY_SOCKET="))),
                    Not(Contains(StartsWith("TENON_KEEPER_LINK="))), Not(Contains(StartsWith("TENON_TEST_SECRET=")))));
}

TEST_F(ConfigEnvironment, LetsEnvWinOverItsFileAndBothOverTheHost) {
  write("a.env", "HOST_SETTING=file\nBOTH=file\r\n\n  # comment\nEMPTY=\nSPACED= x \n");
  const auto loaded =
      load_child(R"(, "inherit_env": true, "env_file": "a.env", "env": {"BOTH": "env", "S": "${TENON_TEST_SECRET}"})");
  ASSERT_THAT(lines(loaded.problems), IsEmpty());
  EXPECT_THAT(environment(process(loaded, 0)),
              testing::IsSupersetOf({"HOST_SETTING=file", "BOTH=env", "EMPTY=", "SPACED= x ", "S=swordfish"}));
}

TEST_F(ConfigEnvironment, SaysTheChannelsFormatAndDescriptor) {
  const auto loaded = load_child(R"(, "channel": {"kind": "socket", "serializer": "msgpack"})");
  ASSERT_THAT(lines(loaded.problems), IsEmpty());
  EXPECT_THAT(environment(process(loaded, 0)),
              testing::IsSupersetOf({"TENON_CONTENT_TYPE=application/msgpack", "TENON_CHANNEL_FD=3"}));
  EXPECT_EQ(loaded.config.workers.at("a")->channel.framing, integration::Framing::packet4);
}

TEST_F(ConfigEnvironment, NamesNoVariableTwice) {
  write("a.env", "PATH=/bin\n");
  const auto loaded = load_child(R"(, "inherit_env": true, "env_file": "a.env", "env": {"HOME": "/x"})");
  std::vector<std::string> names;
  for (const std::string& entry : environment(process(loaded, 0))) names.push_back(entry.substr(0, entry.find('=')));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST_F(ConfigEnvironment, PointsAtTheLineOfItsFile) {
  write("a.env", "GOOD=1\nswordfish\nTENON_ID=x\n=y\n");
  const auto loaded = load_child(R"(, "env_file": "a.env")");
  EXPECT_THAT(lines(loaded.problems), ElementsAre(HasSubstr("a.env:2:1: "), HasSubstr("a.env:3:1: \"TENON_ID\""),
                                                  HasSubstr("a.env:4:1: ")));
  EXPECT_THAT(lines(loaded.problems), Each(Not(HasSubstr("swordfish"))));
}

TEST_F(ConfigEnvironment, ValuesStandInNoProblem) {
  const auto loaded = load(R"({"node": "${TENON_TEST_SECRET} x", "engine": {"hang_timeout": "${TENON_TEST_SECRET}"},
    "transports": {"bus": {"plugin": "nats"}}, "routes": [{"topic": "a", "to": ["${TENON_TEST_SECRET}"]}],
    "supervision": {"children": [{"id": "a", "command": ["${TENON_TEST_SECRET}"], "env": {"A": 12345},
                                  "stop": {"signal": "${TENON_TEST_SECRET}"}}]}})");
  EXPECT_EQ(loaded.problems.size(), 6u);
  EXPECT_THAT(lines(loaded.problems), Each(AllOf(Not(HasSubstr("swordfish")), Not(HasSubstr("12345")))));
}

TEST_F(ConfigEnvironment, ShowsNoValueInTheCommand) {
  const auto loaded = load(R"({"supervision": {"children": [
      {"id": "a", "command": ["/bin/sh", "--token=${TENON_TEST_SECRET}", "plain"]}]}})");
  EXPECT_THAT(lines(loaded.problems), IsEmpty());
  EXPECT_THAT(process(loaded, 0).argv, ElementsAre("/bin/sh", HasSubstr("swordfish"), "plain"));
  EXPECT_THAT(process(loaded, 0).shown_command, ElementsAre("/bin/sh", "--token=${TENON_TEST_SECRET}", "plain"));
}

TEST_F(ConfigEnvironment, DecidesWhereAProgramIsSearched) {
  write("bin/only-here", "#!/bin/sh\n", 0755);
  const std::string members = R"("id": "a", "command": ["only-here"])";
  EXPECT_THAT(lines(load(R"({"supervision": {"children": [{)" + members + "}]}}").problems),
              ElementsAre(HasSubstr("no such program in the child's PATH")));
  const auto found = load(R"({"supervision": {"children": [{)" + members + R"(, "env": {"PATH": ")" +
                          (directory / "bin") + R"("}}]}})");
  EXPECT_THAT(lines(found.problems), IsEmpty());
  EXPECT_THAT(process(found, 0).argv, ElementsAre("only-here"));
}

}  // namespace
}  // namespace tenon::app
