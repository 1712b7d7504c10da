#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "message/validation.hpp"

namespace tenon::message {
namespace {

using testing::HasSubstr;

TEST(SchemaRegistry, PrefersTheNamedSchemaThenTheTypeThenAPattern) {
  SchemaRegistry registry;
  ASSERT_TRUE(registry.add(R"({"x-tenon-type":"task.>","$id":"urn:any"})", "any.json").ok());
  ASSERT_TRUE(registry.add(R"({"x-tenon-type":"task.result","$id":"urn:result"})", "result.json").ok());
  ASSERT_TRUE(registry.add(R"({"$id":"urn:special"})", "special.json").ok());
  const auto name = [&](std::string_view type, std::string_view dataschema) {
    const Schema* schema = registry.find(type, dataschema);
    return schema == nullptr ? std::string("none") : schema->name();
  };
  EXPECT_EQ(name("task.result", ""), "result.json");
  EXPECT_EQ(name("task.result", "urn:unknown"), "result.json");
  EXPECT_EQ(name("task.result", "urn:special"), "special.json");
  EXPECT_EQ(name("task.progress", ""), "any.json");
  EXPECT_EQ(name("task", ""), "none");
  EXPECT_EQ(name("other", "urn:unknown"), "none");
}

TEST(SchemaRegistry, RefusesTwoSchemasForOneTypeOrId) {
  SchemaRegistry registry;
  ASSERT_TRUE(registry.add(R"({"x-tenon-type":"a.b","$id":"urn:1"})", "one.json").ok());
  const Status type = registry.add(R"({"x-tenon-type":"a.b"})", "two.json");
  ASSERT_FALSE(type.ok());
  EXPECT_EQ(type.error().code, errc::already_exists);
  EXPECT_THAT(type.error().message, HasSubstr("two.json: one.json is for the same type a.b"));
  EXPECT_EQ(registry.add(R"({"$id":"urn:1"})", "three.json").error().code, errc::already_exists);
  EXPECT_EQ(registry.size(), 1u);
}

TEST(SchemaRegistry, RefusesATypeThatIsNoTopic) {
  SchemaRegistry registry;
  EXPECT_THAT(registry.add(R"({"x-tenon-type":"a..b"})", "x.json").error().message, HasSubstr("x.json:1:"));
  EXPECT_THAT(registry.add(R"({"x-tenon-type":3})", "x.json").error().message, HasSubstr("found 3"));
}

TEST(SchemaRegistry, ReadsFoldersInOrderButForExamples) {
  namespace fs = std::filesystem;
  const fs::path root = fs::path(testing::TempDir()) / "tenon-schemas";
  fs::remove_all(root);
  fs::create_directories(root / "sub/examples");
  std::ofstream(root / "z.json") << R"({"x-tenon-type":"z"})";
  std::ofstream(root / "sub/a.json") << R"({"x-tenon-type":"a"})";
  std::ofstream(root / "sub/note.txt") << "no schema";
  std::ofstream(root / "sub/examples/bad.json") << "not even JSON";
  SchemaRegistry registry;
  ASSERT_TRUE(registry.add_directory(root.string()).ok());
  ASSERT_EQ(registry.entries().size(), 2u);
  EXPECT_EQ(registry.entries()[0].type, "a");
  EXPECT_EQ(registry.entries()[1].type, "z");

  std::ofstream(root / "bad.json") << "{\"type\":3}";
  SchemaRegistry other;
  const Status bad = other.add_directory(root.string());
  ASSERT_FALSE(bad.ok());
  EXPECT_THAT(bad.error().message, HasSubstr("bad.json:1:9"));
  fs::remove_all(root);
  EXPECT_FALSE(other.add_directory(root.string()).ok());
}

}  // namespace
}  // namespace tenon::message
