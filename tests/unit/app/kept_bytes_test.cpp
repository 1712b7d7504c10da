// What keeper and engine hold together by a descriptor.
#include "app/kept_bytes.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::app {
namespace {

TEST(KeptBytes, AreReadByWhoeverGetsTheDescriptor) {
  const std::string text(300'000, 'x');
  auto kept = KeptBytes::make(text);
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  const KeptBytes successor{unique_fd(::dup(kept->descriptor()))};
  EXPECT_EQ(*successor.read(), text);
  EXPECT_EQ(*kept->read(), text) << "to read moves nobody's position";
}

TEST(KeptBytes, CannotBeChangedByAnybody) {
  const auto kept = KeptBytes::make("secret");
  ASSERT_TRUE(kept.ok());
  EXPECT_LT(::pwrite(kept->descriptor(), "X", 1, 0), 0);
  EXPECT_NE(::ftruncate(kept->descriptor(), 1), 0);
  EXPECT_EQ(*kept->read(), "secret");
}

TEST(KeptBytes, OfNothingCannotBeRead) {
  EXPECT_EQ(KeptBytes().descriptor(), -1);
  EXPECT_FALSE(KeptBytes().read().ok());
  EXPECT_EQ(*KeptBytes::make("")->read(), "");
}

}  // namespace
}  // namespace tenon::app
