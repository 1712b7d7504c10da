// Every value of the documented example replaced by a wrong one, every prefix of it: a problem, never a crash, and
// never a problem in another place.
#include "unit/app/config_example.hpp"

namespace tenon::app {
namespace {

using testing::Contains;
using testing::Field;
using testing::IsEmpty;
using testing::Not;

class ConfigRobustness : public ConfigExampleFixture {
 protected:
  // All values below `top` but those whose meaning is a plugin's.
  static std::vector<JsonValue> values_of(JsonValue top) {
    std::vector<JsonValue> found{top};
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i].key() == "config") continue;
      for (std::size_t k = 0; k < found[i].size(); ++k) found.push_back(found[i].at(k));
    }
    return found;
  }
};

TEST_F(ConfigRobustness, ANullInPlaceOfAnyValueIsAProblemAtThatPlace) {
  const std::string text = prepare_example();
  const auto document = JsonDocument::parse(text, "example", {.comments = true});
  ASSERT_TRUE(document.ok());
  const auto values = values_of(document->root());
  ASSERT_GT(values.size(), 100u);
  for (const JsonValue value : values) {
    std::string changed = text;
    changed.replace(value.position().offset, value.raw().size(), "null");
    const auto loaded = load(changed);
    EXPECT_THAT(loaded.problems, Contains(Field(&ConfigProblem::path, value.path()))) << value.path();
    ASSERT_NE(loaded.config.supervision, nullptr);
  }
}

TEST_F(ConfigRobustness, AValueOfAnotherKindNeverLoadsSilentlyNorCrashes) {
  const std::string text = prepare_example();
  const auto document = JsonDocument::parse(text, "example", {.comments = true});
  ASSERT_TRUE(document.ok());
  for (const JsonValue value : values_of(document->root())) {
    for (const char* wrong : {"\"\"", "-1", "1e300", "[[]]", "{\"\\u0000\": {}}", "true"}) {
      const auto kind = JsonDocument::parse(wrong, "wrong")->root().kind();
      std::string changed = text;
      changed.replace(value.position().offset, value.raw().size(), wrong);
      const auto loaded = load(changed);
      const bool number = kind == JsonKind::integer || kind == JsonKind::number;
      const bool same = kind == value.kind() || (number && value.kind() == JsonKind::integer);
      if (!same) {
        EXPECT_THAT(loaded.problems, Not(IsEmpty())) << value.path() << " = " << wrong;
      }
    }
  }
}

TEST_F(ConfigRobustness, APrefixOfAConfigIsRefusedWithThePlaceWhereItEnds) {
  const std::string text = prepare_example();
  for (std::size_t size = 0; size < text.size() - 1; size += 11) {
    const auto loaded = load(text.substr(0, size));
    ASSERT_EQ(loaded.problems.size(), 1u) << size;
    EXPECT_GT(loaded.problems[0].line, 0u) << to_string(loaded.problems[0]);
    EXPECT_THAT(loaded.problems[0].sentence, Not(IsEmpty()));
  }
}

}  // namespace
}  // namespace tenon::app
