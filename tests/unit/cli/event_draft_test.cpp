#include "cli/event_draft.hpp"

namespace tenon::cli {
namespace {

using ::testing::HasSubstr;

TEST(EventDraft, TypeIsTheTopicUnlessGiven) {
  EXPECT_EQ(*draft_event("a.b", "", "", "--data"), R"({"type":"a.b","topic":"a.b"})");
  EXPECT_EQ(*draft_event("a.b", "t", "", "--data"), R"({"type":"t","topic":"a.b"})");
}

TEST(EventDraft, DataKeepsItsSpelling) {
  EXPECT_EQ(*draft_event("a", "", " {\"x\": 1.0, \"x2\": -0.0} \n", "--data"),
            R"({"type":"a","topic":"a","data":{"x": 1.0, "x2": -0.0}})");
  EXPECT_EQ(*draft_event("a", "", "null", "--data"), R"({"type":"a","topic":"a","data":null})");
}

TEST(EventDraft, DataThatIsNoJsonIsNamed) {
  const auto event = draft_event("a", "", "hello", "--data");
  ASSERT_FALSE(event);
  EXPECT_THAT(event.error().message, HasSubstr("--data:1:1"));
  EXPECT_THAT(event.error().message, HasSubstr("'\"text\"'"));
}

}  // namespace
}  // namespace tenon::cli
