#include "common/expand.hpp"

namespace tenon {
namespace {

using ::testing::HasSubstr;

std::optional<std::string> lookup(std::string_view name) {
  if (name == "HOME") return "/home/x";
  if (name == "EMPTY") return "";
  if (name == "TRICKY") return "${HOME} $$";
  if (name == "BIG") return std::string(kMaxExpandedBytes / 2 + 1, 'x');
  return std::nullopt;
}

std::string expanded(std::string_view text) {
  auto result = expand_variables(text, lookup);
  return result.ok() ? *result : "refused: " + result.error().message;
}

TEST(ExpandVariables, ReplacesVariablesInPlace) {
  EXPECT_EQ(expanded("a ${HOME}/b ${HOME}"), "a /home/x/b /home/x");
  EXPECT_EQ(expanded(""), "");
  EXPECT_EQ(expanded("none"), "none");
  EXPECT_EQ(expanded("[${EMPTY}]"), "[]");
}

TEST(ExpandVariables, UsesTheDefaultWhenUnsetOrEmpty) {
  EXPECT_EQ(expanded("${NOPE:-d e}"), "d e");
  EXPECT_EQ(expanded("${EMPTY:-d}"), "d");
  EXPECT_EQ(expanded("${HOME:-d}"), "/home/x");
  EXPECT_EQ(expanded("${NOPE:-}"), "");
  EXPECT_EQ(expanded("${NOPE:-a:-b}"), "a:-b");
}

TEST(ExpandVariables, DollarsStandForThemselves) {
  EXPECT_EQ(expanded("$$"), "$");
  EXPECT_EQ(expanded("$${HOME}"), "${HOME}");
  EXPECT_EQ(expanded("$$$$"), "$$");
  EXPECT_EQ(expanded("$HOME $ 5$"), "$HOME $ 5$");
}

TEST(ExpandVariables, DoesNotExpandValuesAgain) { EXPECT_EQ(expanded("${TRICKY}"), "${HOME} $$"); }

TEST(ExpandVariables, NamesAnUnsetVariable) {
  const auto result = expand_variables("x ${NOPE}", lookup);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, errc::not_found);
  EXPECT_THAT(result.error().message, HasSubstr("NOPE is not set"));
}

TEST(ExpandVariables, RefusesWhatIsMalformed) {
  EXPECT_THAT(expanded("${HOME"), HasSubstr("closing }"));
  EXPECT_THAT(expanded("${}"), HasSubstr("expected ${NAME}"));
  EXPECT_THAT(expanded("${1A}"), HasSubstr("expected ${NAME}"));
  EXPECT_THAT(expanded("${A-B}"), HasSubstr("expected ${NAME}"));
  EXPECT_THAT(expanded("${ HOME}"), HasSubstr("expected ${NAME}"));
  EXPECT_THAT(expanded("${NOPE:-${HOME}}"), HasSubstr("another ${"));
}

TEST(ExpandVariables, RefusesAResultThatIsTooLong) {
  EXPECT_EQ(expanded("${BIG}").size(), kMaxExpandedBytes / 2 + 1);
  EXPECT_THAT(expanded("${BIG}${BIG}"), HasSubstr("1 MiB"));
}

TEST(EnvironmentVariable, TellsUnsetFromEmpty) {
  ::setenv("TENON_TEST_EMPTY", "", 1);
  EXPECT_EQ(environment_variable("TENON_TEST_EMPTY"), "");
  ::unsetenv("TENON_TEST_EMPTY");
  EXPECT_EQ(environment_variable("TENON_TEST_EMPTY"), std::nullopt);
}

}  // namespace
}  // namespace tenon
