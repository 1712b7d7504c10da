#include "integration/askers.hpp"

#include <gtest/gtest.h>

namespace tenon::integration {
namespace {

TEST(Askers, CallBackOnceWithTheirOwnAnswer) {
  Askers askers;
  int first = 0, second = 0;
  message::Event answer;
  const std::uint64_t a = askers.add([&](const message::Event* e) { first += e == &answer ? 1 : 100; });
  const std::uint64_t b = askers.add([&](const message::Event* e) { second += e == nullptr ? 1 : 100; });
  ASSERT_NE(a, b);
  askers.answer(a, &answer);
  askers.answer(a, &answer);
  askers.answer(b, nullptr);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 1);
}

TEST(Askers, NeverCallBackOnceWithdrawn) {
  Askers askers;
  const std::uint64_t token = askers.add([](const message::Event*) { FAIL(); });
  askers.remove(token);
  askers.answer(token, nullptr);
  askers.answer(999, nullptr);
}

TEST(Askers, MayAskAgainFromWithinTheAnswer) {
  Askers askers;
  int answers = 0;
  std::uint64_t next = 0;
  const std::uint64_t token = askers.add([&](const message::Event*) {
    ++answers;
    next = askers.add([&](const message::Event*) { ++answers; });
  });
  askers.answer(token, nullptr);
  askers.answer(next, nullptr);
  EXPECT_EQ(answers, 2);
}

}  // namespace
}  // namespace tenon::integration
