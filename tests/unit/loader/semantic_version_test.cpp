#include "loader/semantic_version.hpp"

#include <gtest/gtest.h>

namespace tenon::loader {
namespace {

SemanticVersion version(std::string_view text) {
  auto parsed = SemanticVersion::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed ? *parsed : SemanticVersion();
}

// The chain of semver.org §11, with numbers too long for any integer type in it.
TEST(SemanticVersion, OrdersAsTheSpecificationSays) {
  const std::vector<std::string> ascending = {"0.9.9",
                                              "1.0.0-0",
                                              "1.0.0-9",
                                              "1.0.0-10",
                                              "1.0.0-99999999999999999999",
                                              "1.0.0-alpha",
                                              "1.0.0-alpha.1",
                                              "1.0.0-alpha.beta",
                                              "1.0.0-beta",
                                              "1.0.0-beta.2",
                                              "1.0.0-beta.11",
                                              "1.0.0-rc.1",
                                              "1.0.0",
                                              "1.0.1",
                                              "1.2.0",
                                              "1.10.0",
                                              "2.0.0"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(version(ascending[i]) <=> version(ascending[j]), std::weak_ordering(i <=> j))
          << ascending[i] << " against " << ascending[j];
    }
  }
}

TEST(SemanticVersion, IgnoresBuildMetadataInOrderButKeepsItInText) {
  EXPECT_EQ(version("1.0.0+a"), version("1.0.0+b.007"));
  EXPECT_EQ(version("1.0.0-rc.1+exp.sha-5114f85").text(), "1.0.0-rc.1+exp.sha-5114f85");
}

TEST(SemanticVersion, RefusesWhatIsNotOneAndSaysHowToWriteIt) {
  for (const char* wrong :
       {"", "1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.2.03", "1.2.-3", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3+",
        "1.2.3+a_b", "1.2.3 ", " 1.2.3", "1.2.3-\xc3\xa9", "99999999999999999999.0.0"}) {
    const auto parsed = SemanticVersion::parse(wrong);
    ASSERT_FALSE(parsed.ok()) << wrong;
    EXPECT_NE(parsed.error().message.find("1.2.3"), std::string::npos) << parsed.error().message;
  }
  EXPECT_FALSE(SemanticVersion::parse("1.0.0-" + std::string(SemanticVersion::kMaxSize, 'a')).ok());
}

}  // namespace
}  // namespace tenon::loader
