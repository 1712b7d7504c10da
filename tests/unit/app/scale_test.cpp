#include "app/scale.hpp"

#include <gtest/gtest.h>

namespace tenon::app {
namespace {

TEST(Scales, ReadBackWhatWasWritten) {
  const Scales scales{{"counter", {.replicas = 5, .instead_of = 3}}, {"web-2", {.replicas = 0, .instead_of = 10'000}}};
  const auto read = decode_scales(encode_scales(scales));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, scales);
  EXPECT_TRUE(decode_scales("")->empty());
}

TEST(Scales, RefuseWhatTheyWouldNotHaveWritten) {
  for (const char* bytes : {"counter 5 3", "counter 5\n", "counter 5 3 4\n", " 5 3\n", "counter -1 3\n",
                            "counter 5 99999999999\n", "a 1 2\na 1 2\n", "\n"}) {
    EXPECT_EQ(decode_scales(bytes).error().code, errc::bad_data) << bytes;
  }
}

}  // namespace
}  // namespace tenon::app
