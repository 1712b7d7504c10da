// What a survey of the plugin directories and the plugins' own schemas say against a config.
#include "unit/app/config_fixture.hpp"

namespace tenon::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

loader::SurveyedPlugin plugin(std::string kind, std::string name, std::string schema = "true") {
  loader::PluginIdentity identity;
  identity.name = name;
  identity.components = {{std::move(kind), std::move(name), std::move(schema)}};
  return {{0, "/plugins/" + identity.name + ".so"}, std::move(identity)};
}

class ConfigPlugins : public ConfigFixture {
 protected:
  LoadOptions options(SchemaCheck check = {}) {
    LoadOptions options;
    options.survey = [](const std::vector<std::string>&) {
      std::vector<loader::SurveyedPlugin> survey;
      survey.push_back(plugin("restart_policy", "always"));
      survey.push_back(plugin("serializer", "json"));
      survey.push_back(plugin("health_check", "http", R"({"required":["url"]})"));
      survey.push_back(plugin("health_check", "pulse", R"({"x-tenon-needs-channel":true})"));
      survey.push_back(plugin("health_check", "dog", R"({"x-tenon-watchdog":"within",
                                                         "properties":{"within":{"default":"30s"}}})"));
      survey.push_back(plugin("health_check", "exec", R"({"properties":{"command":{"x-tenon-path":"program"},
                                                          "cwd":{"x-tenon-path":"directory"}}})"));
      survey.push_back({{0, "/plugins/broken.so"}, Error(errc::unsupported, "it was built for ABI 9.0")});
      return survey;
    };
    options.schema_check = std::move(check);
    return options;
  }
};

TEST_F(ConfigPlugins, AreSuggestedByTheNearestName) {
  const auto loaded = load_child(R"(, "health": [{"check": "htpt"}])", options());
  EXPECT_THAT(lines(loaded.problems), ElementsAre(AllOf(HasSubstr("$.supervision.children[0].health[0].check"),
                                                        HasSubstr("did you mean \"http\"?"))));
}

TEST_F(ConfigPlugins, OfEveryKindMustExist) {
  const auto loaded = load(R"({"transports": {"bus": {"plugin": "nats", "serializer": "msgpack"}},
    "supervision": {"children": [{"id": "a", "command": ["cat"], "restart": {"policy": "sometimes"},
                                  "channel": {"kind": "stdio", "serializer": "cbor"}}]}})", options());
  EXPECT_THAT(lines(loaded.problems), ElementsAre(HasSubstr("the transport \"nats\"; add the directory"),
                                                  HasSubstr("the serializer \"msgpack\"; they offer json"),
                                                  HasSubstr("the restart_policy \"sometimes\"; they offer always"),
                                                  HasSubstr("the serializer \"cbor\"; they offer json")));
}

TEST_F(ConfigPlugins, ThatAreRefusedSayWhy) {
  const auto loaded = load_child(R"(, "health": [{"check": "broken"}])", options());
  EXPECT_THAT(lines(loaded.problems),
              ElementsAre(HasSubstr("/plugins/broken.so is refused: it was built for ABI 9.0")));
}

TEST_F(ConfigPlugins, ThatEveryChildNeedsAreMissedOnce) {
  LoadOptions none;
  none.survey = [](const std::vector<std::string>&) { return std::vector<loader::SurveyedPlugin>(); };
  const auto loaded = load(
      R"({"supervision": {"children": [{"id": "a", "command": ["true"]}, {"id": "b", "command": ["true"]}]}})", none);
  EXPECT_THAT(lines(loaded.problems), ElementsAre(HasSubstr("the restart_policy \"always\"")));
}

TEST_F(ConfigPlugins, AreNotAskedWithoutASurvey) {
  EXPECT_THAT(lines(load_child(R"(, "health": [{"check": "anything"}])").problems), IsEmpty());
}

TEST_F(ConfigPlugins, JudgeTheirExpandedConfigAtThePlaceOfTheFinding) {
  ::setenv("TENON_TEST_HOST", "example.org", 1);
  std::vector<std::string> asked;
  const SchemaCheck check = [&](const std::string& schema, const std::string& json) -> std::vector<SchemaFinding> {
    asked.push_back(schema + " " + json);
    if (json == R"({"url":{"~/":["http://example.org/\"$"]}})") return {{"/url/~0~1/0", "is no URL; write one"}};
    return {};
  };
  const auto loaded = load_child(R"(, "health": [{"check": "http",
      "config": {"url": {"~/": [
  "http://${TENON_TEST_HOST}/\"$$"]}}}])", options(check));
  ::unsetenv("TENON_TEST_HOST");
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(loaded.problems[0].line, 3u);
  EXPECT_EQ(loaded.problems[0].column, 3u);
  EXPECT_EQ(loaded.problems[0].sentence, "is no URL; write one");
  EXPECT_THAT(asked, testing::Contains("true {}"));
}

// The finding has seen the value of the environment; what is told is what the operator wrote.
TEST_F(ConfigPlugins, ToldFindingsQuoteTheConfigAsItIsWritten) {
  ::setenv("TENON_TEST_HOST", "secret", 1);
  const SchemaCheck check = [&](const std::string&, const std::string& json) -> std::vector<SchemaFinding> {
    if (json == "{}") return {};
    return {{"/url", "found \"secret\", expected a string that matches ^http"}};
  };
  const auto loaded =
      load_child(R"(, "health": [{"check": "http", "config": {"url": "${TENON_TEST_HOST}"}}])", options(check));
  ::unsetenv("TENON_TEST_HOST");
  EXPECT_THAT(lines(loaded.problems), ElementsAre(AllOf(
      HasSubstr("config.url: found \"${TENON_TEST_HOST}\", expected a string that matches ^http"),
      testing::Not(HasSubstr("secret")))));
}

TEST_F(ConfigPlugins, NameAnUnknownKeyWithItsPlaceAndTheNearestOne) {
  LoadOptions with = options([](const std::string&, const std::string& json) -> std::vector<SchemaFinding> {
    if (json.find("cert_fiel") == json.npos) return {};
    return {{"/tls", "found an object with 1 member, expected no member \"cert_fiel\""}};
  });
  with.survey = [](const std::vector<std::string>&) {
    std::vector<loader::SurveyedPlugin> survey;
    survey.push_back(plugin("restart_policy", "always"));
    survey.push_back(plugin("health_check", "http", R"({"properties": {"tls": {"properties": {"cert_file": {}}}}})"));
    return survey;
  };
  const auto loaded = load_child(R"(, "health": [{"check": "http", "config": {"tls": {"cert_fiel": "x"}}}])", with);
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(loaded.problems[0].path, "$.supervision.children[0].health[0].config.tls.cert_fiel");
  EXPECT_THAT(loaded.problems[0].sentence, HasSubstr("did you mean \"cert_file\"?"));
  EXPECT_EQ(loaded.problems[0].found, "the key \"cert_fiel\"");
  EXPECT_EQ(loaded.problems[0].expected, "one of cert_file");
}

TEST_F(ConfigPlugins, OfTransportsSayHowTheirUrlsBegin) {
  LoadOptions with;
  with.survey = [](const std::vector<std::string>&) {
    std::vector<loader::SurveyedPlugin> survey;
    survey.push_back(plugin("transport", "nats", R"({"x-tenon-url-schemes": ["nats", "tls"]})"));
    survey.push_back(plugin("transport", "free"));
    return survey;
  };
  const auto wrong = [&](const std::string& transport) {
    return lines(load(R"({"transports": {"bus": )" + transport + "}}", with).problems);
  };
  EXPECT_THAT(wrong(R"({"plugin": "nats", "url": "tls://host"})"), IsEmpty());
  EXPECT_THAT(wrong(R"({"plugin": "free", "url": "anything"})"), IsEmpty());
  EXPECT_THAT(wrong(R"({"plugin": "nats", "url": "http://host"})"),
              ElementsAre(AllOf(HasSubstr("$.transports.bus.url: found \"http://host\""),
                                HasSubstr("begins with \"nats://\" or \"tls://\""))));
  EXPECT_THAT(wrong(R"({"plugin": "nats", "url": "nats://"})"), ElementsAre(HasSubstr("$.transports.bus.url")));
  EXPECT_THAT(wrong(R"({"plugin": "nats"})"), ElementsAre(HasSubstr("$.transports.bus: \"url\" is missing")));
}

TEST_F(ConfigPlugins, AreAskedOnceForEqualConfigs) {
  int asked = 0;
  const SchemaCheck check = [&](const std::string&, const std::string&) {
    ++asked;
    return std::vector<SchemaFinding>();
  };
  const auto loaded = load(R"({"supervision": {"children": [
    {"id": "a", "command": ["true"], "restart": {"config": {"max": "1s"}}},
    {"id": "b", "command": ["true"], "restart": {"config": {"max": "1s"}}}]}})", options(check));
  EXPECT_THAT(lines(loaded.problems), IsEmpty());
  EXPECT_EQ(asked, 1);
}

TEST_F(ConfigPlugins, HaveTheirPathsLookedAtAsTheHostWillUseThem) {
  const auto with = [&](const std::string& config) {
    return lines(load_child(R"(, "health": [{"check": "exec", "config": )" + config + "}]", options()).problems);
  };
  EXPECT_THAT(with(R"({"command": ["/bin/true", "./no/such/argument"], "cwd": "/"})"), IsEmpty());
  EXPECT_THAT(with(R"({"command": ["searched-by-the-process"]})"), IsEmpty());
  EXPECT_THAT(with(R"({"command": ["./no-such-check"]})"),
              ElementsAre(AllOf(HasSubstr("health[0].config.command[0]"), HasSubstr("relative to the config file"))));
  EXPECT_THAT(with(R"({"command": ["/bin/true"], "cwd": "no-such-place"})"),
              ElementsAre(AllOf(HasSubstr("health[0].config.cwd"), HasSubstr("does not exist"))));
}

TEST_F(ConfigPlugins, HaveTheirPathsLookedForBesideTheFileTheyStandIn) {
  write("conf.d/check.sh", "#!/bin/sh\n", 0755);
  write("conf.d/web.json", R"({"supervision": {"children": [{"id": "web", "command": ["true"],
    "health": [{"check": "exec", "config": {"command": ["./check.sh"]}}]}]}})");
  const auto loaded = load(R"({"include": ["conf.d/*.json"]})", options());
  EXPECT_THAT(lines(loaded.problems), IsEmpty());
  EXPECT_EQ(process(loaded, 0).config_directory, directory / "conf.d");
}

TEST_F(ConfigPlugins, ThatListenToTheirProcessNeedItsChannel) {
  const std::string check = R"(, "health": [{"check": "pulse"}])";
  EXPECT_THAT(lines(load_child(check + R"(, "channel": {"kind": "stdio"})", options()).warnings), IsEmpty());
  const auto deaf = load_child(check, options());
  EXPECT_THAT(lines(deaf.problems), IsEmpty());
  EXPECT_THAT(lines(deaf.warnings),
              ElementsAre(AllOf(HasSubstr("health[0].check"), HasSubstr("has none; give it one"))));
}

TEST_F(ConfigPlugins, WantAConfigThatIsAnObject) {
  EXPECT_THAT(lines(load_child(R"(, "restart": {"config": 5})").problems),
              ElementsAre(HasSubstr("restart.config: found 5, expected an object")));
}

// --- watchdogs ---

class ConfigWatchdogs : public ConfigPlugins {
 protected:
  const runtime::ProcessConfig& process_of(const LoadedConfig& loaded) {
    return *std::get<std::shared_ptr<const runtime::ProcessConfig>>(loaded.config.supervision->children.front());
  }
};

TEST_F(ConfigWatchdogs, TellTheProcessHowOftenItMustBeHeard) {
  const auto loaded = load_child(R"(, "health": [{"check": "dog", "config": {"within": "1500ms"}}, {"check": "dog"}])",
                                 options());
  ASSERT_TRUE(loaded.ok());
  EXPECT_TRUE(process_of(loaded).notify);
  EXPECT_THAT(process_of(loaded).env, testing::Contains("WATCHDOG_USEC=1500000"));
}

TEST_F(ConfigWatchdogs, HaveADefaultOfTheirOwn) {
  const auto loaded = load_child(R"(, "health": [{"check": "dog"}])", options());
  EXPECT_THAT(process_of(loaded).env, testing::Contains("WATCHDOG_USEC=30000000"));
}

TEST_F(ConfigWatchdogs, AreKnownToAnEngineThatTakesOver) {
  auto first = load_child(R"(, "health": [{"check": "dog"}])", options());
  LoadOptions replay;
  replay.replay = true;
  auto sources = ConfigSources::from_bytes(first.sources.to_bytes());
  ASSERT_TRUE(sources.ok());
  const auto again = load_config(std::move(*sources), replay);
  EXPECT_EQ(process_of(again).env, process_of(first).env);
  EXPECT_EQ(process_of(again).start_digest, process_of(first).start_digest);
}

TEST_F(ConfigWatchdogs, MakeAChangedLimitAReasonForARestart) {
  const auto one = load_child(R"(, "health": [{"check": "dog", "config": {"within": "1s"}}])", options());
  const auto other = load_child(R"(, "health": [{"check": "dog", "config": {"within": "2s"}}])", options());
  EXPECT_NE(process_of(one).start_digest, process_of(other).start_digest);
  EXPECT_TRUE(runtime::are_comparable(process_of(one).start_digest, process_of(other).start_digest));
}

TEST_F(ConfigWatchdogs, ConcernNobodyElse) {
  const auto loaded = load_child(R"(, "health": [{"check": "http", "config": {"url": "x"}}])", options());
  EXPECT_FALSE(process_of(loaded).notify);
  EXPECT_THAT(process_of(loaded).env, testing::ElementsAre("TENON_ID=a"));
}

}  // namespace
}  // namespace tenon::app
