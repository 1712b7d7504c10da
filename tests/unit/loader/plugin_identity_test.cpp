#include "loader/plugin_identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loader/negotiation.hpp"

namespace tenon::loader {
namespace {

using testing::HasSubstr;

constexpr const char* kComponent = R"({"kind":"transport","name":"nats","schema":{"type":"object"}})";

std::string note(const std::string& components, const std::string& abi = "[1,0]") {
  return R"({"abi":)" + abi + R"(,"name":"nats","version":"1.2.3","vendor":"V","licence":"MIT","components":[)" +
         components + "]}";
}

std::string error_of(const std::string& text) {
  const auto identity = parse_identity(text);
  if (identity) return "no error";
  EXPECT_EQ(identity.error().code, errc::bad_data);
  EXPECT_EQ(identity.error().whose, fault::plugin);
  return identity.error().message;
}

TEST(PluginIdentity, HoldsWhatTheNoteSays) {
  const auto identity = parse_identity(note(kComponent));
  ASSERT_TRUE(identity.ok()) << identity.error().message;
  EXPECT_EQ(identity->name, "nats");
  EXPECT_EQ(identity->version.text(), "1.2.3");
  EXPECT_EQ(identity->vendor, "V");
  EXPECT_EQ(identity->licence, "MIT");
  EXPECT_EQ(identity->abi, (AbiVersion{1, 0}));
  EXPECT_THAT(identity->component_ids(), testing::ElementsAre("transport/nats"));
  EXPECT_EQ(identity->components[0].schema, R"({"type":"object"})");
}

TEST(PluginIdentity, IgnoresMembersOfALaterVersion) {
  std::string text = note(kComponent, "[1,7]");
  text.insert(1, R"("homepage":["x"],)");
  EXPECT_TRUE(parse_identity(text).ok());
}

TEST(PluginIdentity, BelievesOnlyNameAndVersionOfAnotherMajor) {
  const auto identity = parse_identity(R"({"abi":[2,4],"name":"nats","version":"3.0.0","parts":{}})");
  ASSERT_TRUE(identity.ok());
  EXPECT_TRUE(identity->components.empty());
  const Status accepted = negotiate(*identity, {1, 3});
  ASSERT_FALSE(accepted.ok());
  EXPECT_THAT(accepted.error().message,
              testing::AllOf(HasSubstr("ABI 2.4"), HasSubstr("ABI 1.3"), HasSubstr("update the host")));
}

TEST(PluginIdentity, NamesThePlaceOfAMistakeAndWhatWasExpected) {
  EXPECT_THAT(error_of("{type: 1}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(error_of("{}"), HasSubstr("\"abi\" is missing"));
  EXPECT_THAT(error_of(note(kComponent, "[1]")), HasSubstr("$.abi"));
  EXPECT_THAT(error_of(note(kComponent, "[1,70000]")), HasSubstr("$.abi"));
  EXPECT_THAT(error_of(note(kComponent, "[-1,0]")), HasSubstr("$.abi"));
  EXPECT_THAT(error_of(note("")), HasSubstr("1 to 64 components"));
  EXPECT_THAT(error_of(note("7")), HasSubstr("$.components[0]"));
  EXPECT_THAT(error_of(note(std::string(kComponent) + "," + kComponent)), HasSubstr("listed twice"));
  EXPECT_THAT(error_of(note(R"({"kind":"transport","name":"../x","schema":{}})")), HasSubstr("$.components[0].name"));
  EXPECT_THAT(error_of(note(R"({"kind":"Transport","name":"x","schema":{}})")), HasSubstr("$.components[0].kind"));
  EXPECT_THAT(error_of(note(R"({"kind":"transport","name":"x","schema":"{}"})")), HasSubstr("$.components[0].schema"));
  EXPECT_THAT(error_of(note(R"({"kind":"transport","name":"x"})")), HasSubstr("\"schema\" is missing"));
}

TEST(PluginIdentity, RefusesMoreComponentsThanTheLimit) {
  std::string many;
  for (std::size_t i = 0; i <= kMaxComponents; ++i) {
    many += (i == 0 ? "" : ",") + (R"({"kind":"k","name":"n)" + std::to_string(i) + R"(","schema":{}})");
  }
  EXPECT_THAT(error_of(note(many)), HasSubstr("1 to 64 components"));
}

TEST(Negotiation, AcceptsEveryMinorOfItsMajor) {
  PluginIdentity plugin;
  for (const std::uint16_t minor : {0, 1, 2, 65535}) {
    plugin.abi = {1, minor};
    EXPECT_TRUE(negotiate(plugin, {1, 1}).ok()) << minor;
  }
}

TEST(Negotiation, SaysWhichSideToUpdate) {
  PluginIdentity plugin;
  plugin.name = "old";
  plugin.abi = {1, 9};
  const Status older = negotiate(plugin, {2, 0});
  ASSERT_FALSE(older.ok());
  EXPECT_EQ(older.error().code, errc::unsupported);
  EXPECT_THAT(older.error().message, HasSubstr("newer release of the plugin"));
}

}  // namespace
}  // namespace tenon::loader
