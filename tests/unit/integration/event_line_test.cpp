#include "integration/event_line.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tenon::integration {
namespace {

TEST(EventLine, KnowsAnEventByItsTypeWhateverElseIsWrong) {
  EXPECT_TRUE(is_meant_as_event(R"({"type":"a"})"));
  EXPECT_TRUE(is_meant_as_event(R"(  { "id" : "1" , "priority":99, "type" : "a" })"));
  EXPECT_TRUE(is_meant_as_event(R"({"type":"a","type":"b"})"));
  EXPECT_TRUE(is_meant_as_event(R"({"data":{"broken":},"type":"a"})"));
  EXPECT_TRUE(is_meant_as_event(R"({"data":[1,{"type":7}],"type":"a"})"));
  EXPECT_TRUE(is_meant_as_event(R"({"text":"a \"quoted\" } ,","type":"a","data":{"cut of)"));
  EXPECT_TRUE(is_meant_as_event("{\"id\":\"\xff\",\"type\":\"a\"}"));
  EXPECT_TRUE(is_meant_as_event(R"({"data":)" + std::string(10'000, '[') + std::string(10'000, ']') + R"(,"type":"a"})"));
}

TEST(EventLine, TakesEverythingElseForLog) {
  for (const char* line : {"", "{", "{}", "hello", R"(["type","a"])", R"({"type":7})", R"({"type":null})", R"({type:"a"})",
                           R"({"level":"info","msg":"type"})", R"({"data":{"type":"a"}})", R"({"a":1}{"type":"b"})",
                           R"({"type":"cut of)", R"({"type)", R"({"data":[1,"type":"a"})", R"("type":"a")",
                           R"({"a":1 "type":"b"})", R"({"a\)"})
    EXPECT_FALSE(is_meant_as_event(line)) << line;
}

}  // namespace
}  // namespace tenon::integration
