// Every file in schemas/examples-config is a test case: valid ones load without a problem, invalid ones have exactly
// the problems that their first comment lines name.
#include "unit/app/config_fixture.hpp"

#include "common/system.hpp"

namespace tenon::app {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigExamples : public ConfigFixture {
 protected:
  static std::vector<std::filesystem::path> examples(const char* kind) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(schema_directory() / "examples-config" / kind)) {
      files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  static std::vector<std::string> expectations(const std::filesystem::path& file) {
    constexpr std::string_view mark = "// expects: ";
    std::vector<std::string> texts;
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line) && line.starts_with(mark);)
      texts.push_back(line.substr(mark.size()));
    return texts;
  }
};

TEST_F(ConfigExamples, AreAcceptedWhereTheyAreValid) {
  const auto files = examples("valid");
  ASSERT_GE(files.size(), 6u);
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename());
    EXPECT_THAT(lines(load_config(load_sources(file.string())).problems), IsEmpty());
  }
}

TEST_F(ConfigExamples, HaveTheProblemsThatTheyNameAndNoOthersWhereTheyAreInvalid) {
  const auto files = examples("invalid");
  ASSERT_GE(files.size(), 30u);
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename());
    const auto found = lines(load_config(load_sources(file.string())).problems);
    const auto expected = expectations(file);
    ASSERT_FALSE(expected.empty()) << "begin the file with // expects: lines";
    for (const std::string& text : expected) EXPECT_THAT(found, Contains(HasSubstr(text)));
    EXPECT_EQ(found.size(), expected.size()) << testing::PrintToString(found);
    for (const std::string& text : found) EXPECT_THAT(text, HasSubstr(file.string() + ":"));
  }
}

}  // namespace
}  // namespace tenon::app
