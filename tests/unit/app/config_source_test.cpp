#include "unit/app/config_fixture.hpp"

#include "common/system.hpp"

namespace tenon::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigSourceFiles : public ConfigFixture {};

std::string child(const std::string& id) {
  return R"({"supervision": {"children": [{"id": ")" + id + R"(", "command": ["true"]}]}})";
}

TEST_F(ConfigSourceFiles, AreIncludedSortedByNameAndAppended) {
  write("conf.d/20.json", child("twenty"));
  write("conf.d/10.json", child("ten"));
  const auto loaded =
      load(R"({"include": ["conf.d/*.json"], "supervision": {"children": [{"id": "main", "command": ["true"]}]}})");
  ASSERT_THAT(lines(loaded.problems), IsEmpty());
  EXPECT_EQ(process(loaded, 0).id, "main");
  EXPECT_EQ(process(loaded, 1).id, "ten");
  EXPECT_EQ(process(loaded, 2).id, "twenty");
}

TEST_F(ConfigSourceFiles, AreReadOnceEvenIfTheyIncludeEachOther) {
  write("a.json", R"({"include": ["b.json", "./a.json", "tenon.json"]})");
  write("b.json", R"({"include": ["a.json"], "node": "b"})");
  const auto loaded = load(R"({"include": ["a.json", "b.json"]})");
  EXPECT_THAT(lines(loaded.problems), IsEmpty());
  EXPECT_EQ(loaded.sources.files.size(), 3u);
  EXPECT_EQ(loaded.config.node, "b");
}

TEST_F(ConfigSourceFiles, HaveTheirOwnPathsAndAreNamedInProblems) {
  write("conf.d/a.json", R"({"supervision": {"children": [
    {"id": "a", "command": ["true"], "cwd": "missing"}]}})");
  const auto loaded = load(R"({"include": ["conf.d/*.json"]})");
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(loaded.problems[0].file, directory / "conf.d/a.json");
  EXPECT_EQ(loaded.problems[0].line, 2u);
  EXPECT_THAT(loaded.problems[0].sentence, HasSubstr(directory / "conf.d/missing"));
}

TEST_F(ConfigSourceFiles, MayJoinASectionButNotGiveAKeyTwice) {
  write("more.json", R"({"limits": {"events": "1GiB", "block_for": "1s"}, "node": "b"})");
  const auto loaded = load(R"({"include": ["more.json"], "node": "a",
"limits": {"events": "2GiB"}})");
  EXPECT_THAT(lines(loaded.problems),
              ElementsAre(AllOf(HasSubstr("more.json:1:"), HasSubstr("$.limits.events"), HasSubstr("tenon.json:2:22")),
                          AllOf(HasSubstr("more.json:1:"), HasSubstr("$.node"), HasSubstr("tenon.json:1:"))));
  EXPECT_EQ(loaded.config.block_for, std::chrono::seconds(1));
}

TEST_F(ConfigSourceFiles, MayNotDefineATransportTwice) {
  write("more.json", R"({"transports": {"bus": {"plugin": "local"}, "other": {"plugin": "local"}}})");
  const auto loaded = load(R"({"include": ["more.json"], "transports": {"bus": {"plugin": "nats"}}})");
  EXPECT_THAT(lines(loaded.problems), ElementsAre(AllOf(HasSubstr("$.transports.bus"), HasSubstr("second time"))));
  EXPECT_EQ(loaded.config.transports.size(), 2u);
}

TEST_F(ConfigSourceFiles, MayNotNestWithoutEnd) {
  for (int i = 1; i <= 10; ++i) {
    write(std::to_string(i) + ".json", R"({"include": [")" + std::to_string(i + 1) + R"(.json"]})");
  }
  const auto loaded = load(R"({"include": ["1.json"]})");
  EXPECT_THAT(lines(loaded.problems), ElementsAre(HasSubstr("8 deep")));
}

TEST_F(ConfigSourceFiles, ThatCannotBeReadAreNamed) {
  const auto missing = load_config(load_sources(directory / "missing.json"));
  ASSERT_EQ(missing.problems.size(), 1u);
  EXPECT_EQ(missing.problems[0].file, directory / "missing.json");
  ASSERT_NE(missing.config.supervision, nullptr);
  EXPECT_THAT(lines(load(R"({"include": ["absent.d/*.json"]})").problems), IsEmpty());
  EXPECT_THAT(lines(load(R"({"include": [5, "absent.json"]})").problems),
              ElementsAre(HasSubstr("$.include[0]"), HasSubstr("$.include[1]")));
}

TEST_F(ConfigSourceFiles, ThatAreNoJsonDoNotHideWhatIsWrongElsewhere) {
  write("broken.json", "{\n  \"node\": }\n");
  const auto loaded = load(R"({"include": ["broken.json"], "engine": 5})");
  EXPECT_THAT(lines(loaded.problems),
              testing::UnorderedElementsAre(HasSubstr("broken.json:2:11: "), HasSubstr("$.engine: found 5")));
}

TEST_F(ConfigSourceFiles, GiveTheSameConfigAfterEverythingOnTheDiskIsGone) {
  ::setenv("TENON_TEST_MODE", "first", 1);
  write("more.json", child("b"));
  write("a.env", "SECRET=1\n");
  std::filesystem::create_directory(directory / "work");
  const auto first = load(R"({"include": ["more.json"], "supervision": {"children": [
    {"id": "a", "command": ["true"], "cwd": "work", "env_file": "a.env", "env": {"MODE": "${TENON_TEST_MODE}"}}]}})");
  ASSERT_THAT(lines(first.problems), IsEmpty());

  for (const char* name : {"more.json", "a.env", "work", "tenon.json"}) std::filesystem::remove_all(directory / name);
  ::setenv("TENON_TEST_MODE", "second", 1);
  auto kept = ConfigSources::from_bytes(first.sources.to_bytes());
  ASSERT_TRUE(kept.ok());
  const auto again = load_config(std::move(kept).value(), {.replay = true});
  ::unsetenv("TENON_TEST_MODE");

  ASSERT_THAT(lines(again.problems), IsEmpty());
  EXPECT_THAT(environment(process(again, 0)), testing::IsSupersetOf({"SECRET=1", "MODE=first"}));
  EXPECT_EQ(environment(process(again, 0)), environment(process(first, 0)));
  EXPECT_EQ(process(again, 0).cwd, directory / "work");
  EXPECT_EQ(process(again, 1).id, "b");
  EXPECT_EQ(again.config.node, first.config.node);
  EXPECT_EQ(again.config.plugin_directories, first.config.plugin_directories);
  EXPECT_EQ(again.config.control.socket, first.config.control.socket);
  EXPECT_EQ(again.sources.to_bytes(), first.sources.to_bytes());
}

TEST_F(ConfigSourceFiles, RefuseBytesThatWereNotKept) {
  const auto sources = load_sources(write("tenon.json", "{}"));
  const std::string bytes = sources.to_bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(ConfigSources::from_bytes(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(ConfigSources::from_bytes(bytes + "x").ok());
  std::string huge = bytes;
  huge[15] = huge[16] = huge[17] = huge[18] = '\xff';  // the number of files
  EXPECT_FALSE(ConfigSources::from_bytes(huge).ok());
  EXPECT_TRUE(ConfigSources::from_bytes(bytes).ok());
}

}  // namespace
}  // namespace tenon::app
