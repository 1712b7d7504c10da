#include "common/json_pointer.hpp"

#include <gtest/gtest.h>

namespace tenon {
namespace {

struct JsonPointer : testing::Test {
  std::string at(std::string_view pointer) {
    const PointerTarget target = follow_json_pointer(document.root(), pointer);
    return (target.found ? "" : "as far as ") + std::string(target.value.raw());
  }
  JsonDocument document = *JsonDocument::parse(R"({"a":{"b":[1,[2,3]]},"/":4,"~":5,"":6,"0":7})", "test");
};

TEST_F(JsonPointer, NamesMembersAndElements) {
  EXPECT_EQ(at("/a/b/1/0"), "2");
  EXPECT_EQ(at("/0"), "7") << "the member of an object, not an index";
  EXPECT_EQ(at("/"), "6");
  EXPECT_TRUE(follow_json_pointer(document.root(), "").found);
}

TEST_F(JsonPointer, ReadsEscapes) {
  EXPECT_EQ(at("/~1"), "4");
  EXPECT_EQ(at("/~0"), "5");
}

TEST_F(JsonPointer, StopsAtTheLastThatIsThere) {
  EXPECT_EQ(at("/a/b/2"), "as far as [1,[2,3]]");
  EXPECT_EQ(at("/a/b/x"), "as far as [1,[2,3]]");
  EXPECT_EQ(at("/a/b/0x"), "as far as [1,[2,3]]");
  EXPECT_EQ(at("/a/b/99999999999999999999"), "as far as [1,[2,3]]");
  EXPECT_EQ(at("/a/b/0/c"), "as far as 1");
  EXPECT_FALSE(follow_json_pointer(document.root(), "a").found);
}

}  // namespace
}  // namespace tenon
