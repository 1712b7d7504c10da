#include "message/media_type.hpp"

#include <gtest/gtest.h>

namespace tenon::message {
namespace {

TEST(MediaType, LeavesParametersBlanksAndCaseAway) {
  EXPECT_EQ(media_type_of("application/json"), "application/json");
  EXPECT_EQ(media_type_of(" Application/JSON ; charset=UTF-8"), "application/json");
  EXPECT_EQ(media_type_of("\ttext/plain\t"), "text/plain");
  EXPECT_EQ(media_type_of("; charset=utf-8"), "");
  EXPECT_EQ(media_type_of(""), "");
}

TEST(MediaType, TellsTheEncodingByTheSuffix) {
  EXPECT_EQ(encoding_of("application/cloudevents+json; charset=utf-8"), "application/json");
  EXPECT_EQ(encoding_of("application/CloudEvents+MsgPack"), "application/msgpack");
  EXPECT_EQ(encoding_of("application/vnd.a+b+cbor"), "application/cbor");
  EXPECT_EQ(encoding_of("application/json"), "application/json");
  EXPECT_EQ(encoding_of("application/odd+"), "application/odd+");
  EXPECT_EQ(encoding_of("a+b/c"), "a+b/c");
  EXPECT_EQ(encoding_of("nonsense+json"), "nonsense+json");
  EXPECT_EQ(encoding_of(""), "");
}

}  // namespace
}  // namespace tenon::message
