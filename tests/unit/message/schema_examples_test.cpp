// The project's schemas against their examples: schemas/examples/<type>/{valid,invalid}-*.json.
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "common/system.hpp"
#include "message/validation.hpp"

namespace tenon::message {
namespace {

namespace fs = std::filesystem;

fs::path schema_folder() { return fs::path(__FILE__).parent_path() / "../../../schemas"; }

// The event schemas, without the config's own.
const SchemaRegistry& registry() {
  static const SchemaRegistry* loaded = [] {
    auto* r = new SchemaRegistry;
    for (const char* folder : {"agent", "task", "system"}) {
      const Status added = r->add_directory((schema_folder() / folder).string());
      EXPECT_TRUE(added.ok()) << (added.ok() ? "" : added.error().message);
    }
    const Status added = r->add(*read_file((schema_folder() / "envelope.schema.json").string(), 1 << 20), "envelope");
    EXPECT_TRUE(added.ok()) << (added.ok() ? "" : added.error().message);
    return r;
  }();
  return *loaded;
}

const Schema* schema_for(const std::string& type) {
  return registry().find(type, type == "envelope" ? "urn:tenon:schema:envelope:1" : "");
}

std::vector<std::string> example_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(schema_folder() / "examples"))
    if (entry.path().extension() == ".json")
      files.push_back(fs::relative(entry.path(), schema_folder() / "examples").string());
  std::sort(files.begin(), files.end());
  return files;
}

class SchemaExample : public testing::TestWithParam<std::string> {};

TEST_P(SchemaExample, IsJudgedAsItsNameSays) {
  const fs::path file = GetParam();
  const Schema* schema = schema_for(file.parent_path().string());
  ASSERT_NE(schema, nullptr) << "no schema for the examples in " << file.parent_path();
  const auto found = schema->findings(*read_file((schema_folder() / "examples" / file).string(), 1 << 20));
  if (file.filename().string().starts_with("valid-")) {
    EXPECT_TRUE(found.empty()) << found.front().pointer << ": " << found.front().message;
  } else {
    EXPECT_FALSE(found.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Files, SchemaExample, testing::ValuesIn(example_files()), [](const auto& example) {
  std::string name = example.param;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

TEST(SchemaFolder, LoadsAsAWholeAsAConfigNamesIt) {
  SchemaRegistry all;
  const Status added = all.add_directory(schema_folder().string());
  ASSERT_TRUE(added.ok()) << added.error().message;
  EXPECT_GT(all.size(), registry().size());
}

TEST(SchemaFolder, HasAValidAndAnInvalidExampleForEverySchema) {
  std::set<std::string> valid, invalid;
  for (const fs::path file : example_files())
    (file.filename().string().starts_with("valid-") ? valid : invalid).insert(file.parent_path().string());
  EXPECT_GE(registry().size(), 28u);
  for (const auto& entry : registry().entries()) {
    const std::string type = entry.type.empty() ? "envelope" : entry.type;
    EXPECT_TRUE(valid.contains(type)) << type;
    EXPECT_TRUE(invalid.contains(type)) << type;
    EXPECT_EQ(entry.id, "urn:tenon:schema:" + type + ":1");
  }
}

}  // namespace
}  // namespace tenon::message
